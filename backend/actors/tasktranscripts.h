// The transcript writers of a task's sessions, and the one timer that flushes what agents stream (at most every 50 ms,
// the first word at once).
#pragma once

#include "backend/actors/sandboxmessages.h"
#include "backend/actors/transcriptwriter.h"

#include <QElapsedTimer>
#include <QTimer>
#include <map>
#include <memory>

namespace foundry::backend {

class TaskTranscripts {
public:
    // `flushed` is called inside the flushing transaction for each session that got entries.
    TaskTranscripts(ActorContext &context, BlobStore blobs, std::function<void(Transaction &)> flushed);
    ~TaskTranscripts();

    TranscriptWriter &of(const SessionId &session);
    // At the start of each turn of the actor: an earlier transaction may have been rolled back.
    void recover();
    // Streamed by the sandbox, in `bytes` of message.
    void streamed(const AgentUpdate &update, qsizetype bytes);
    // The sandbox has streamed up to here: it is told once what came before is committed. `asked`: it waits for that.
    void arrived(const ActorAddress &from, const StreamMark &mark, bool asked);
    // Text of the message that still grows, which the index does not hold yet: its index and the text.
    std::optional<std::pair<qint64, QString>> growing(const SessionId &session);

private:
    void flushAll();
    void confirm(bool asked);
    bool hasBuffered() const;

    ActorContext &m_context;
    BlobStore m_blobs;
    std::function<void(Transaction &)> m_flushed;
    std::map<QString, std::unique_ptr<TranscriptWriter>> m_writers;
    QTimer *m_timer;
    QElapsedTimer m_sinceFlush;
    ActorAddress m_source;     // of the stream
    StreamMark m_arrived;
    StreamMark m_confirmed;
};

} // namespace foundry::backend
