#include "app/workspace.h"

#include "app/wiring/modelfeeding.h"

namespace foundry::app {

using realtime::TopicFeed;

Workspace::Workspace(realtime::HostClient &client, QObject *parent)
    : QObject(parent)
{
    feedModel(client.organizationFeed(), &m_tasks);
    feedModel(client.overlayFeed(), &m_tasks, Loads::Aside);
    feedModel(client.organizationFeed(), &m_repositories);
    feedModel(client.organizationFeed(), &m_agents);
    feedModel(client.organizationFeed(), &m_attention);
    feedModel(client.overlayFeed(), &m_attention, Loads::Aside);
    for (TopicFeed *feed : {static_cast<TopicFeed *>(&client.appFeed()), static_cast<TopicFeed *>(&client.hostFeed()),
             static_cast<TopicFeed *>(&client.organizationFeed())}) {
        const Rows rows = feed == &client.organizationFeed() ? Rows::Own : Rows::Index;
        connect(feed, &TopicFeed::replaced, this, [this, rows](const ChangesPage &page) { note(page.upserts, rows); });
        connect(feed, &TopicFeed::applied, this, [this, rows](const TopicEvent &event) { note(event.upserts, rows); });
    }
}

void Workspace::note(const QList<Entity> &entities, Rows rows)
{
    for (const Entity &entity : entities) {
        if (const auto *user = std::get_if<User>(&entity)) {
            m_user = *user;
            Q_EMIT userChanged(*user);
        } else if (const auto *host = std::get_if<HostStatus>(&entity)) {
            m_host = *host;
            Q_EMIT hostChanged(*host);
        } else if (const auto *organization = std::get_if<Organization>(&entity)) {
            // The user's index of organizations has a name of each; what it is like the organization says itself.
            if (rows == Rows::Index && m_organizationKnown)
                continue;
            m_organizationKnown = rows == Rows::Own;
            m_organization = *organization;
            Q_EMIT organizationChanged(*organization);
        }
    }
}

} // namespace foundry::app
