// The models of a task that is or was on screen, fed from its client. Kept for a while after the page turned to another
// task, so that coming back shows it at once and asks only for what is newer. GUI thread.
#pragma once

#include "models/changesmodel.h"
#include "models/queuedpromptmodel.h"
#include "models/sessionlistmodel.h"
#include "models/stagelistmodel.h"
#include "models/transcriptmodel.h"
#include "realtime/commands/taskclient.h"

#include <memory>
#include <unordered_map>

namespace foundry::app {

class OpenTask : public QObject {
    Q_OBJECT

public:
    // `client` outlives this: it is kept by it.
    explicit OpenTask(realtime::TaskClient &client, QObject *parent = nullptr);
    ~OpenTask() override;

    const TaskId &id() const { return m_client.task(); }
    realtime::TaskClient &client() { return m_client; }

    StageListModel &stages() { return m_stages; }
    SessionListModel &sessions() { return m_sessions; }
    QueuedPromptModel &queue() { return m_queue; }
    ChangesModel &changes() { return m_changes; }
    const std::optional<Task> &details() const { return m_details; }

    // On screen or not: only what is visible is subscribed (and what was so half a minute ago).
    void show();
    void hide();
    // The one session on screen; its transcript follows from now on.
    TranscriptModel &showSession(const SessionId &session);

Q_SIGNALS:
    void detailsChanged(const foundry::Task &task);
    void failed(const foundry::Error &error);

private:
    TranscriptModel &transcript(const SessionId &session);

    realtime::TaskClient &m_client;
    StageListModel m_stages;
    SessionListModel m_sessions;
    QueuedPromptModel m_queue;
    ChangesModel m_changes;
    std::unordered_map<QString, std::unique_ptr<TranscriptModel>> m_transcripts;
    std::optional<Task> m_details;
    bool m_shown = false;
    SessionId m_session;
};

} // namespace foundry::app
