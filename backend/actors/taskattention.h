// What of a task needs its user: permissions and errors, pushed up to the organization's Attention rows with a rising
// source revision. Remembers what it has said, so that it says each thing once and takes it back.
#pragma once

#include "backend/actors/taskstore.h"

namespace foundry::backend {

class TaskAttention {
public:
    explicit TaskAttention(TaskStore &store);

    static QString schema();

    void put(Transaction &tx, Attention attention);
    void remove(Transaction &tx, const QString &id);
    // All that is said now, to an organization that lost it.
    void tellAgain(Transaction &tx);
    void removeOfSession(Transaction &tx, const SessionId &session);
    // Errors follow from the sessions' and stages' present state: what is no longer so is taken back.
    void deriveErrors(Transaction &tx, const QList<Session> &sessions, const QList<Stage> &stages);

private:
    qint64 nextRevision(Transaction &tx);

    TaskStore &m_store;
};

} // namespace foundry::backend
