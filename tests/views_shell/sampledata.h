// An invented organization for pictures and tests: repositories, agents, tasks in all states, what waits for the user.
#pragma once

#include "models/agentlistmodel.h"
#include "models/attentionmodel.h"
#include "models/repositorylistmodel.h"
#include "models/tasklistmodel.h"

namespace foundry::test {

inline constexpr Millis sampleNow = 1'795'349'912'589; // 2026-11-22 09:38

struct SampleModels {
    TaskListModel tasks;
    RepositoryListModel repositories;
    AgentListModel agents;
    AttentionModel attention;

    void apply(const TopicEvent &event);
    void setReady();
};

TopicEvent sampleRepositories();
TopicEvent sampleAgents();
TopicEvent sampleTasks();
TopicEvent manyTasks(int count);

} // namespace foundry::test
