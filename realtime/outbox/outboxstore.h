// The outbox's file: commands in the order they were given, and drafts. Each change reaches the disk before it is
// reported. A file that cannot be read is set aside, and stays. The outbox's thread.
#pragma once

#include "models/types/commands.h"
#include "realtime/cache/sqlfile.h"
#include "realtime/outbox/outboxentry.h"

#include <QList>

namespace foundry::realtime {

struct OutboxContent {
    QList<OutboxEntry> entries;
    QList<UpdateDraft> drafts;
    std::optional<Error> problem = {}; // the file could not be used, or was set aside
};

class OutboxStore {
public:
    explicit OutboxStore(QString path)
        : m_path(std::move(path))
    {
    }

    OutboxContent load();
    // With the draft that it takes the place of (an empty one), in one transaction.
    Result<> add(const OutboxEntry &entry, const std::optional<UpdateDraft> &draft);
    // State, times, arguments and error of entries that are there.
    Result<> update(const QList<OutboxEntry> &entries);
    Result<> remove(const RequestId &id);
    Result<> saveDrafts(const QList<UpdateDraft> &drafts);
    Result<> dropDraft(const SessionId &session);

private:
    Result<> open();
    template <class Work>
    Result<> change(Work work);

    QString m_path;
    QString m_setAside;
    std::unique_ptr<SqlFile> m_file;
};

} // namespace foundry::realtime
