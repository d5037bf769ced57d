// host.sqlite: which actors there are, and which of them must be opened after a start (the wake index: actor, due time;
// written before an actor's commit, cleared after). Any thread. Ids are opaque and the same for the same name and key.
#pragma once

#include "backend/actors/actorcontext.h"
#include "backend/store/database.h"

#include <memory>
#include <mutex>

namespace foundry::backend {

struct ActorRef {
    QString id;
    ActorAddress address;
    Millis createdAt = 0;
    bool retired = false; // its thing was deleted: clients find nothing, other actors still reach it
};

QString actorIdOf(const ActorAddress &address);
// For messages: name/key/…
QString addressText(const ActorAddress &address);

class ActorRegistry {
public:
    // Opens DATA/host.sqlite; one that was lost is made again from the actors' own files.
    static Result<std::unique_ptr<ActorRegistry>> open(const QString &dataDir);

    std::optional<ActorRef> find(const QString &id);
    // Without the retired ones.
    QList<ActorRef> list(const QString &name);
    QList<ActorRef> listAll(const QString &name); // with them
    // The actor's record, made when there is none; `created` says which.
    Result<ActorRef> add(const ActorAddress &address, bool *created);
    Result<> setRetired(const QString &id, bool retired);
    // Removes a closed actor's files and then its record; one that was cut short is completed by open().
    Result<> erase(const QString &id);
    // +1 at each start of the actor.
    Result<qint64> nextGeneration(const QString &id);
    // 0: it never ran; -1: there is no such actor.
    qint64 generationOf(const QString &id);

    // due 0: at once. Keeps the earlier of what is there.
    Result<> setDue(const QString &id, Millis due);
    Result<> clearDue(const QString &id, std::optional<Millis> next);
    std::optional<Millis> dueOf(const QString &id);
    QStringList dueUntil(Millis now);
    std::optional<Millis> nextDue(Millis after);

    // The file named by setAside() of the database, when the registry had to be made again.
    QString setAside() const;
    // False when the machine went down without a clean stop: an actor's last wake entry may be missing.
    bool lastStopWasClean() const { return m_wasClean; }
    void markClean();
    QStringList allIds();

private:
    ActorRegistry(std::unique_ptr<Database> database, const QString &dataDir);
    QList<ActorRef> listed(const QString &name, bool retiredToo);
    Result<> eraseFiles(const QString &id);
    Result<> recover(const QString &actorsDir);

    const QString m_dataDir;
    std::mutex m_mutex;
    std::unique_ptr<Database> m_database;
    bool m_wasClean = true;
};

// Random, new at each start of the machine.
QString machineBootId();

} // namespace foundry::backend
