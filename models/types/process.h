// A process that runs in a sandbox.
#pragma once

#include "models/types/changes.h"
#include "models/types/entity.h"
#include "models/types/error.h"
#include "models/types/ids.h"

#include <QStringList>
#include <optional>

namespace foundry {

struct Process : EntityMeta {
    ProcessId id;
    QString command;
    QStringList args = {};
    std::optional<QString> cwd = {};
    bool tty = false;
    QString status; // running, exited
    std::optional<qint64> pid = {};
    std::optional<qint64> exitCode = {};
    std::optional<qint64> signal = {};
    std::optional<Millis> startedAt = {};
    std::optional<Millis> exitedAt = {};
    qint64 logBytes = 0;  // ever written
    qint64 logStart = 0;  // the first byte that is still kept
    std::optional<Error> error = {}; // it could not be started, or was lost with the host
    friend bool operator==(const Process &, const Process &) = default;
};

} // namespace foundry
