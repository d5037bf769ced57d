// What the user gave and the host does not have yet: commands that are safe to repeat, and drafts. Written to a file of
// its own before anything is sent, so that it outlives a crash and a restart; never dropped by the cache's rules. One for
// each account and host. Who sends is CommandQueue, one for each actor; who shows it reads entries() and listens to
// changed(). GUI thread; the disk is another thread's.
#pragma once

#include "realtime/cache/serialthread.h"
#include "realtime/outbox/outboxstore.h"

#include <QHash>
#include <QObject>
#include <QPointer>
#include <QTimer>

namespace foundry::realtime {

class Outbox : public QObject {
    Q_OBJECT

public:
    // The host knows a request id for seven days (docs/CONTRACT.md); an hour less, for clocks that differ.
    static constexpr Millis repeatableFor = (qint64(7) * 24 - 1) * 3600 * 1000;

    explicit Outbox(const QString &path, QObject *parent = nullptr);
    ~Outbox() override; // drafts are written

    // False until the file was read: what was given before comes first.
    bool isRestored() const { return m_restored; }
    // In the order they were given; those that are done are not among them.
    const QList<OutboxEntry> &entries() const { return m_entries; }
    const OutboxEntry *find(const RequestId &id) const;

    // Of a `sendMessage`: what is sent. Nothing for other commands.
    static std::optional<SendMessage> messageOf(const OutboxEntry &entry);

    // While queued. False: too late, or not there.
    bool edit(const RequestId &id, const QByteArray &args, const QString &label);
    // Of a queued `sendMessage`: another text.
    bool editMessage(const RequestId &id, const QString &text);
    // Queued, failed and uncertain ones: taken back, or read and put away.
    bool remove(const RequestId &id);
    // An uncertain one, by the user's wish: queued again, with the same id.
    bool sendAgain(const RequestId &id);

    // Drafts that the host does not have yet, by session; one without text says that it was cleared. On the disk within a
    // quarter of a second of a change, and at once by flushDrafts().
    void setDraft(const UpdateDraft &draft);
    const UpdateDraft *draft(const SessionId &session) const; // null: the host's is the latest
    QList<UpdateDraft> drafts() const { return m_drafts.values(); }
    void flushDrafts();
    // The host has this one. Nothing happens when another was written since.
    void confirmDraft(const UpdateDraft &draft);

    // For the queues. `then`: it is on the disk, or why it is not (it is sent all the same, and waits in memory only).
    // `draft`: an empty one, it is given now; written in the same transaction.
    void add(OutboxEntry entry, const std::optional<UpdateDraft> &draft, QObject *context, std::function<void(Result<>)> then);
    // Before they are sent. Uncertain ones come back as such, and are not to be sent.
    void markSent(const QList<RequestId> &ids, QObject *context, std::function<void(Result<>)> then);
    void accept(const RequestId &id);
    void finish(const RequestId &id);
    void fail(const RequestId &id, const Error &error);

    // Answered when all changes so far are on the disk.
    void flush(QObject *context, std::function<void(Result<>)> then);

Q_SIGNALS:
    void restored();
    void changed(const foundry::RequestId &id);
    void removed(const foundry::RequestId &id);
    void draftRestored(const foundry::UpdateDraft &draft);
    // The file could not be read or written: cause and what to do.
    void noticed(const foundry::Error &error);

private:
    OutboxEntry *entry(const RequestId &id);
    void take(OutboxContent content);
    void takeOut(RequestId id); // a copy: the caller's may be the one inside the entry that goes
    void store(const OutboxEntry &entry);
    void run(QObject *context, std::function<void(Result<>)> then, std::function<Result<>(OutboxStore &)> work);

    QList<OutboxEntry> m_entries;
    bool m_restored = false;
    QHash<SessionId, UpdateDraft> m_drafts;
    QHash<SessionId, UpdateDraft> m_unsaved;
    QTimer m_draftTimer;
    std::unique_ptr<OutboxStore> m_store; // the thread's
    SerialThread m_thread;                // last: it ends first
};

} // namespace foundry::realtime
