// What can be asked of a task. GUI thread; each answer comes exactly once unless its context is gone.
#pragma once

#include "realtime/cache/hostcache.h"
#include "realtime/commands/promptupload.h"
#include "realtime/feeds/taskfeed.h"

namespace foundry::realtime {

class TaskCommands : public QObject {
    Q_OBJECT

public:
    TaskCommands(CommandQueue &queue, PromptUpload &uploads, TaskFeed &feed, QObject *parent = nullptr);

    // Before the first read; outlives this. What was read is kept there, and is the answer while there is no link.
    void setCache(HostCache *cache) { m_cache = cache; }

    // Before the first command; outlives this. What changes something is kept until the host has it; messages that an
    // earlier run left there are shown as queued.
    void setOutbox(Outbox *outbox);

    // The session's tab is there when this returns.
    SessionId createSession(
        const std::optional<AgentId> &agent, const std::optional<QString> &mode, QObject *context, Answered<Session> then);
    void renameSession(const SessionId &session, const QString &name, QObject *context, Answered<Unit> then);
    void closeSession(const SessionId &session, QObject *context, Answered<Unit> then);
    // Shown as queued when this returns; messages are sent in the order they were given, large ones included.
    // A message that failed stays in the outbox, where there is one, until the user has seen to it: isInOutbox().
    QueueId sendMessage(const SessionId &session, const QString &text, QObject *context, Answered<Unit> then);
    // A message that has not left yet is changed or taken back in the outbox (its answer is client.cancelled then), and
    // the host never hears of the old one.
    void editQueued(const QueueId &queued, const QString &text, QObject *context, Answered<Unit> then);
    void dropQueued(const QueueId &queued, QObject *context, Answered<Unit> then);
    bool isInOutbox(const QueueId &message) const;
    void cancelTurn(const SessionId &session, QObject *context, Answered<Unit> then);
    void resendInterrupted(const SessionId &session, QObject *context, Answered<Unit> then);
    void answerPermission(const SessionId &session, const QString &permissionRequestId, const QString &optionId,
        QObject *context, Answered<Unit> then);
    void setModel(const SessionId &session, const QString &model, QObject *context, Answered<Unit> then);
    void setMode(const SessionId &session, const QString &mode, QObject *context, Answered<Unit> then);
    void setOption(const SessionId &session, const QString &option, const QString &value, QObject *context,
        Answered<Unit> then);
    void renameTask(const QString &title, QObject *context, Answered<Unit> then);
    void retryStage(const QString &stage, QObject *context, Answered<Unit> then);
    void cancelProvisioning(QObject *context, Answered<Unit> then);
    void resolveBranchClash(const ResolveBranchClash &choice, QObject *context, Answered<Unit> then);
    void refreshChanges(QObject *context, Answered<Unit> then);

    // Reads. A page of a diff (empty cursor: the first); answered twice when it is `pending` at first: it is read again
    // by itself when the host says that it is stored.
    void getDiff(const QString &path, OpenEnum<ChangeScope> scope, const QString &cursor, QObject *context,
        Answered<DiffPage> then);
    // The whole text of a blob, up to `limit` bytes.
    void getBlob(const BlobId &blob, qint64 limit, QObject *context, Answered<QByteArray> then);
    void getStageLog(const QString &stage, QObject *context, Answered<StageLog> then);

private:
    struct Prepared {
        QString text;
        std::function<void(Result<Prompt>)> send;
    };

    template <class Command>
    void send(const char *action, Command command, QObject *context, Answered<Unit> then, const std::optional<Kept> &kept = {});
    void resumeMessages();
    // The outbox's entry of a message that has not been sent; empty: there is none.
    RequestId queuedHere(const QueueId &queued) const;
    const OutboxEntry *entryOf(const QueueId &message) const;
    void continueMessage(const RequestId &id);
    void showQueued(const SendMessage &message, Millis createdAt);
    void prepareNext();
    void readDiff(GetDiff question, QObject *context, const Answered<DiffPage> &then);
    void readBlob(const BlobId &blob, const QByteArray &sofar, qint64 limit, QObject *context,
        const Answered<QByteArray> &then);
    void onReady(const ReadyNotice &notice);
    // Without a link: `then` has the cached answer, or null when there is none. False: ask the host.
    bool askCache(const QString &kind, const QString &key, QObject *context,
        std::function<void(std::optional<KeptAnswer>)> then);

    struct WaitingDiff {
        GetDiff question;
        QPointer<QObject> context;
        Answered<DiffPage> then;
    };

    CommandQueue &m_queue;
    PromptUpload &m_uploads;
    TaskFeed &m_feed;
    HostCache *m_cache = nullptr;
    Outbox *m_outbox = nullptr;
    QQueue<Prepared> m_prompts; // a large one goes up first; those behind it wait
    bool m_preparing = false;
    QSet<QueueId> m_given;   // messages of this run
    QSet<QueueId> m_resumed; // of earlier ones, that wait again
    QHash<RequestId, WaitingDiff> m_diffs;
};

} // namespace foundry::realtime
