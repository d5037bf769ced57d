// Prompts and turns of a task's sessions: queued in order, delivered once when the session is live and idle, answered by
// the transcript, ended by the sandbox's word. The intent to deliver is a row before the sandbox hears of it. A turn that
// was cut or failed holds the queue until the user acts; a cut prompt is never sent again unasked.
#pragma once

#include "backend/actors/taskprovisioning.h"
#include "backend/actors/tasktranscripts.h"

#include <QSet>

namespace foundry::backend {

class TaskAttention;

// A prompt is at most 256 KiB, and a blob that it names must be whole: input.too_large, input.invalid.
Result<> checkPromptSize(const BlobStore &blobs, const Prompt &prompt);
// Whether all of them were uploaded: input.invalid names the one that was not.
Result<> checkAttachments(const BlobStore &blobs, const QList<Attachment> &attachments);
// Text and attachments become the task's own. Errors as those of BlobStore::take.
Result<> takeUploads(const BlobStore &blobs, const Prompt &prompt, const QList<Attachment> &attachments);
QString promptText(const BlobStore &blobs, const Prompt &prompt);
// Its first 300 characters, for a list.
QString promptStart(const BlobStore &blobs, const Prompt &prompt);

class TurnWorkflow {
public:
    TurnWorkflow(TaskStore &store, TaskTranscripts &transcripts, TaskProvisioning &provisioning,
        TaskAttention &attention, BlobStore blobs);

    std::function<void(Transaction &)> turnStarts;  // recorded, not delivered yet
    std::function<void(Transaction &)> turnEnded;   // for the changes job

    // Commands, checked by the caller for existence of the session.
    Result<QueuedPrompt> sendMessage(Transaction &tx, const SendMessage &command, const QString &by);
    Result<QueuedPrompt> editQueued(Transaction &tx, const EditQueued &command);
    Result<QueuedPrompt> dropQueued(Transaction &tx, const DropQueued &command);
    Result<> cancelTurn(Transaction &tx, const SessionId &session);
    Result<> resendInterrupted(Transaction &tx, const SessionId &session, const QString &by);
    Result<> answerPermission(Transaction &tx, const AnswerPermission &command, const QString &by);
    Result<> answerQuestion(Transaction &tx, const AnswerQuestion &command, const QString &by);
    // `last`: no other session of the task needs its agent.
    void close(Transaction &tx, const SessionId &session, bool last);

    // After a start of the actor: a prompt whose fate is not known here is handed over again; the sandbox delivers it
    // only if it never did.
    void resume(Transaction &tx);
    // Starts turns that can start, and wakes sessions that are needed for one.
    void pump(Transaction &tx);
    void sessionReady(Transaction &tx, const SessionId &session, const QString &origin);

    bool received(Transaction &tx, const Send &send, Result<> *outcome);
    bool hasOpenTurn() const;
    // False when the turn is not the one under way: its words are dropped.
    bool accepts(const AgentUpdate &update) const;

private:
    void start(Transaction &tx, SessionState state, const QueuedPrompt &prompt);
    void deliver(Transaction &tx, TurnRow turn);
    Result<> ended(Transaction &tx, const TurnReport &report);
    Result<> refused(Transaction &tx, const TurnReport &report);
    Result<> permissionAsked(Transaction &tx, const PermissionAsked &asked);
    Result<> permissionWithdrawn(Transaction &tx, const PermissionAnswer &answer);
    Result<> questionAsked(Transaction &tx, const QuestionAsked &asked);
    Result<> questionWithdrawn(Transaction &tx, const QuestionAnswer &answer);
    void dismissAsks(Transaction &tx, const SessionId &session);
    Result<> agentLost(Transaction &tx, const AgentLost &lost);
    ActorAddress sandbox() const;

    TaskStore &m_store;
    TaskTranscripts &m_transcripts;
    TaskProvisioning &m_provisioning;
    TaskAttention &m_attention;
    BlobStore m_blobs;
    QSet<QString> m_sentBefore; // turns that were with the agent when this actor started
};

} // namespace foundry::backend
