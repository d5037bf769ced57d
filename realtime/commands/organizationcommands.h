// What can be asked of an organization. GUI thread; each answer comes exactly once unless its context is gone.
#pragma once

#include "realtime/commands/promptupload.h"
#include "realtime/feeds/organizationfeed.h"

namespace foundry::realtime {

// The title that a task gets from its prompt: its first non-empty line, cut at 62 characters on a word.
QString titleOfPrompt(const QString &prompt);

class OrganizationCommands : public QObject {
    Q_OBJECT

public:
    OrganizationCommands(CommandQueue &queue, OrganizationFeed &feed, QObject *parent = nullptr);

    PromptUpload &uploads() { return m_uploads; }

    RepoId addRepositoryPath(const QString &path, QObject *context, Answered<Unit> then);
    RepoId addRepositoryUrl(const QString &url, QObject *context, Answered<Unit> then);
    void removeRepository(const RepoId &repo, QObject *context, Answered<Unit> then);
    void confirmAgent(const AgentId &agent, QObject *context, Answered<Unit> then);
    void installAgent(const AgentId &agent, QObject *context, Answered<Unit> then);
    void refreshAgents(QObject *context, Answered<Unit> then);
    void addCustomAgent(AddCustomAgent command, QObject *context, Answered<Unit> then);

    // `command.prompt` is text; missing ids are filled in (an id that the outbox knows: the
    // creation of an earlier run goes on). The task's row is in the feed when this returns, marked as being
    // provisioned; the host's takes its place, or it goes away with the reason. input.too_large comes through `then`,
    // and nothing is published.
    CreateTask createTask(CreateTask command, QObject *context, Answered<CreateTaskAnswer> then);

private:
    CommandQueue &m_queue;
    OrganizationFeed &m_feed;
    PromptUpload m_uploads;
};

} // namespace foundry::realtime
