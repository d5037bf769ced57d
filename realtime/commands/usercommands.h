// What a user says about themselves and what they have seen. GUI thread.
#pragma once

#include "realtime/commands/commandsender.h"

namespace foundry::realtime {

class UserCommands : public QObject {
    Q_OBJECT

public:
    explicit UserCommands(CommandQueue &queue, QObject *parent = nullptr);

    void selectOrganization(const OrganizationId &organization, QObject *context, Answered<Unit> then = {});
    void setDefaults(const TaskDefaults &defaults, QObject *context, Answered<Unit> then = {});
    void setUnread(const TaskId &task, bool unread, QObject *context, Answered<Unit> then = {});
    void setSeen(const TaskId &task, Millis at, QObject *context, Answered<Unit> then = {});
    void setActiveSession(const TaskId &task, const SessionId &session, QObject *context, Answered<Unit> then = {});
    // Keystrokes are joined: the last draft of a session is sent half a second after it was given, or by flushDrafts().
    void updateDraft(const TaskId &task, const SessionId &session, const std::optional<Draft> &draft);
    void flushDrafts();
    // Before the first draft; outlives this. Drafts are then on the disk until the host has them.
    void setOutbox(Outbox *outbox);

private:
    void restoreDrafts();

    CommandQueue &m_queue;
    Outbox *m_outbox = nullptr;
    QHash<SessionId, UpdateDraft> m_drafts;
    QTimer m_draftTimer;
};

} // namespace foundry::realtime
