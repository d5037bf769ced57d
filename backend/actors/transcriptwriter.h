// Writes the transcript of one session: batches what the agent streams (the caller flushes at most every 50 ms), splits
// messages at 16 KiB, keeps tool calls, plan and permissions by index until their turn ends, and moves long fields into
// blobs, and keeps the index of words. All writes happen in the caller's transaction; after one that was rolled back,
// recover() reads the truth again.
#pragma once

#include "backend/actors/transcriptindex.h"
#include "backend/store/blobstore.h"
#include "models/types/transcript.h"

#include <QHash>

namespace foundry::backend {

class TranscriptWriter {
public:
    TranscriptWriter(ActorContext &context, BlobStore blobs, SessionId session);

    // Table of what may still change in the turn under way; one step of the actor's migrations.
    static QString schema();
    static QString topicOf(const SessionId &session);

    // Buffers one update of the agent (a carrier entry, see AgentUpdate) that came in so many bytes. Nothing is written
    // before flush().
    void buffer(const TranscriptEntry &update, qsizetype bytes);
    bool hasBuffered() const { return !m_buffer.isEmpty(); }
    qsizetype bufferedBytes() const { return m_bufferedBytes; }
    void flush(Transaction &tx);

    // Each of these flushes first.
    void beginTurn(Transaction &tx, qint64 turn, const QString &prompt, const QList<Attachment> &attachments);
    // The index of its entry.
    qint64 askPermission(Transaction &tx, const PermissionAsk &ask);
    // False when there is no such open permission.
    bool answerPermission(Transaction &tx, const QString &requestId, const QString &answer, const QString &by);
    qint64 askQuestion(Transaction &tx, const QuestionAsk &ask);
    // `answered` carries answer, values and answeredBy. False when there is no such open question.
    bool answerQuestion(Transaction &tx, const QString &requestId, const QuestionAsk &answered);
    void notice(Transaction &tx, const QString &text);
    void error(Transaction &tx, const Error &error);
    // Closes what is open: unfinished tool calls fail, unanswered permissions and questions are cancelled.
    void endTurn(Transaction &tx, const TurnEnd &end);

    QStringList openPermissions() const { return m_now.permissions.keys(); }
    std::optional<TranscriptEntry> permissionEntry(const QString &requestId) const;
    QStringList openQuestions() const { return m_now.questions.keys(); }
    std::optional<TranscriptEntry> questionEntry(const QString &requestId) const;
    // The message that still grows: its index and its text.
    std::optional<std::pair<qint64, QString>> growing() const;
    qint64 entryCount() const { return m_now.next; }
    qint64 turn() const { return m_now.turn; }

    // The transaction before this call may have been rolled back.
    void recover();

private:
    struct State {
        qint64 next = 0; // index of the next entry
        qint64 turn = 0;
        bool inTurn = false;
        std::optional<TranscriptEntry> message = {}; // the last entry, when text may be added to it
        qsizetype messageBytes = 0;
        std::optional<qint64> unindexed = {}; // a message that grows, or grew before the host was stopped
        QHash<QString, qint64> tools = {};       // callId → index, of this turn
        QHash<QString, qint64> permissions = {}; // open ones: requestId → index
        QHash<QString, qint64> questions = {};   // the same
        std::optional<qint64> plan = {};
    };

    void touch(Transaction &tx);
    TranscriptEntry fresh(EntryKind kind) const;
    void add(Transaction &tx, TranscriptEntry entry);
    void closeMessage(Transaction &tx);
    void addText(Transaction &tx, EntryKind kind, const QString &text);
    void addTool(Transaction &tx, ToolCall call);
    void remember(Transaction &tx, const char *kind, const QString &key, qint64 index);
    void forget(Transaction &tx, const char *kind, const QString &key);
    std::optional<TranscriptEntry> entryAt(qint64 index) const;

    ActorContext &m_context;
    BlobStore m_blobs;
    TranscriptIndex m_index;
    SessionId m_session;
    QString m_topic;
    QList<TranscriptEntry> m_buffer;
    qsizetype m_bufferedBytes = 0;
    qsizetype m_flushed = 0; // of m_buffer, written by the transaction under way
    State m_now;
    bool m_uncommitted = false;
};

} // namespace foundry::backend
