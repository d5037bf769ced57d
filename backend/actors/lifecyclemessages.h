// What organization, task and sandbox tell each other when a whole task is archived, deleted or brought back. Sends:
// durable, exactly once.
#pragma once

#include "backend/git/savedwork.h"
#include "models/types/ids.h"
#include "models/types/result.h"

#include <QByteArray>

namespace foundry::backend {

// organization → task, send "lifecycle". `order` rises with each; the task's summaries say which it has heard of.
struct LifecycleOrder {
    qint64 order = 0;
    QString kind = {}; // archive, unarchive, preview_delete, delete, restore, purge
    QString job = {};
    bool keepBranch = false;
    QString by = {};
};
QByteArray encodeLifecycleOrder(const LifecycleOrder &order);
Result<LifecycleOrder> decodeLifecycleOrder(const QByteArray &json);

// task → organization, send "lifecycleEnded".
struct LifecycleEnded {
    TaskId task = {};
    QString kind = {};
    QString job = {};
    std::optional<Error> error = {};
    bool cancelled = false;
    QString kept = {}; // of a deletion: what was kept, in words
    std::optional<TaskLoss> loss = {}; // of a look
    bool again = false; // told before: to an organization that has lost it
};
QByteArray encodeLifecycleEnded(const LifecycleEnded &ended);
Result<LifecycleEnded> decodeLifecycleEnded(const QByteArray &json);

// task → sandbox, send "placeOrder": idempotent by job, step and attempt. "abandonPlaceOrder" carries the same and ends it.
struct PlaceOrder {
    QString job = {}; // empty: nobody waits for a report
    QString step = {};
    qint64 attempt = 0;
    qint64 deadlineMs = 0;
    QString what = {}; // stop, open, look, save, release, prepare, put_back, forget
    QString repositoryPath = {};
    QString branch = {};
    QString baseBranch = {};
    QString ref = {};
    bool all = false; // save: also when all is committed; release: the branch too
    SavedWork saved = {};
};
QByteArray encodePlaceOrder(const PlaceOrder &order);
Result<PlaceOrder> decodePlaceOrder(const QByteArray &json);

// sandbox → task, send "placeReport".
struct PlaceReport {
    QString job = {};
    QString step = {};
    qint64 attempt = 0;
    std::optional<Error> error = {};
    QString note = {}; // to show
    QString workTree = {};
    QString head = {};
    std::optional<SavedWork> saved = {};
    std::optional<TaskLoss> loss = {};
};
QByteArray encodePlaceReport(const PlaceReport &report);
Result<PlaceReport> decodePlaceReport(const QByteArray &json);

} // namespace foundry::backend
