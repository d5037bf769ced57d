// The models that every window shows, fed from the host's feeds. GUI thread.
#pragma once

#include "models/agentlistmodel.h"
#include "models/attentionmodel.h"
#include "models/repositorylistmodel.h"
#include "models/tasklistmodel.h"
#include "realtime/commands/hostclient.h"

namespace foundry::app {

class Workspace : public QObject {
    Q_OBJECT

public:
    explicit Workspace(realtime::HostClient &client, QObject *parent = nullptr);

    TaskListModel &tasks() { return m_tasks; }
    RepositoryListModel &repositories() { return m_repositories; }
    AgentListModel &agents() { return m_agents; }
    AttentionModel &attention() { return m_attention; }
    const std::optional<User> &user() const { return m_user; }
    const std::optional<HostStatus> &host() const { return m_host; }
    const std::optional<Organization> &organization() const { return m_organization; }

Q_SIGNALS:
    void userChanged(const foundry::User &user);
    void hostChanged(const foundry::HostStatus &host);
    void organizationChanged(const foundry::Organization &organization);

private:
    enum class Rows { Own, Index };

    void note(const QList<Entity> &entities, Rows rows);

    TaskListModel m_tasks;
    RepositoryListModel m_repositories;
    AgentListModel m_agents;
    AttentionModel m_attention;
    std::optional<User> m_user;
    std::optional<HostStatus> m_host;
    std::optional<Organization> m_organization;
    bool m_organizationKnown = false; // by itself
};

} // namespace foundry::app
