#include "app/opentask.h"

#include "app/wiring/modelfeeding.h"
#include "models/topicvalues.h"

namespace foundry::app {

using realtime::SessionFeed;
using realtime::TopicFeed;

OpenTask::OpenTask(realtime::TaskClient &client, QObject *parent)
    : QObject(parent)
    , m_client(client)
{
    client.keep();
    TopicFeed &task = client.feed().task();
    feedModel(task, &m_stages);
    feedModel(task, &m_sessions);
    feedModel(task, &m_queue);
    feedModel(client.feed().changes(), &m_changes);
    const auto note = [this](const QList<Entity> &entities) {
        for (const Task &details : valuesOf<Task>(entities)) {
            m_details = details;
            Q_EMIT detailsChanged(details);
        }
    };
    connect(&task, &TopicFeed::replaced, this, [note](const ChangesPage &page) { note(page.upserts); });
    connect(&task, &TopicFeed::applied, this, [note](const TopicEvent &event) { note(event.upserts); });
    connect(&task, &TopicFeed::failed, this, &OpenTask::failed);
    note(task.placeholders());
}

OpenTask::~OpenTask()
{
    hide();
    m_client.feed().forget(); // the rows go with these models
    m_client.letGo();
}

void OpenTask::show()
{
    if (m_shown)
        return;
    m_shown = true;
    m_client.feed().view();
    if (!m_session.isEmpty())
        m_client.feed().session(m_session).view();
}

void OpenTask::hide()
{
    if (!m_shown)
        return;
    m_shown = false;
    m_client.feed().leave();
    if (!m_session.isEmpty())
        m_client.feed().session(m_session).leave();
}

TranscriptModel &OpenTask::showSession(const SessionId &session)
{
    if (session != m_session) {
        if (m_shown && !m_session.isEmpty())
            m_client.feed().session(m_session).leave();
        m_session = session;
        TranscriptModel &model = transcript(session); // fed before the first event can come
        if (m_shown && !session.isEmpty())
            m_client.feed().session(session).view();
        return model;
    }
    return transcript(session);
}

TranscriptModel &OpenTask::transcript(const SessionId &session)
{
    std::unique_ptr<TranscriptModel> &model = m_transcripts[session.value];
    if (model)
        return *model;
    model = std::make_unique<TranscriptModel>();
    SessionFeed &feed = m_client.feed().session(session);
    TranscriptModel *shown = model.get();
    feedModel(feed, shown);
    connect(&feed, &SessionFeed::pageLoaded, shown, [shown](const TranscriptPage &page) { shown->applyPage(page); });
    connect(&feed, &SessionFeed::olderFailed, shown, [shown] { shown->cancelOlder(); });
    connect(shown, &TranscriptModel::olderWanted, &feed, [&feed] { feed.loadOlder(); });
    connect(shown, &TranscriptModel::gapFound, &feed, [&feed](qint64 from, qint64 to) { feed.reload(from, to); });
    return *shown;
}

} // namespace foundry::app
