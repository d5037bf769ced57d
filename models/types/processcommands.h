// Commands and reads over the processes of a sandbox, made by the user: one-shot or on a terminal.
#pragma once

#include "models/types/commandbase.h"
#include "models/types/process.h"

namespace foundry {

struct CreateProcess : CommandBase {
    ProcessId processId;
    QString command;
    QStringList args = {};
    std::optional<QString> cwd = {}; // relative to the work tree
    bool tty = false;
    std::optional<qint64> cols = {};
    std::optional<qint64> rows = {};
};
struct WriteInput : CommandBase {
    ProcessId processId;
    QByteArray data; // ≤ 32 KiB, base64 on the wire
};
struct ResizeTerminal : CommandBase {
    ProcessId processId;
    qint64 cols = 80;
    qint64 rows = 24;
};
struct StopProcess : CommandBase {
    ProcessId processId;
};
struct KillProcess : CommandBase {
    ProcessId processId;
};
struct DeleteProcess : CommandBase {
    ProcessId processId;
};
// A piece of the log by its offset in bytes: from `after`, or what ends at `before`; the tail when neither is given.
struct GetProcessLogs {
    ProcessId processId;
    std::optional<qint64> after = {};
    std::optional<qint64> before = {};
    qint64 limit = 262144;
};
struct ProcessLogPage {
    QByteArray data;
    qint64 offset = 0; // of the first byte of data
    qint64 start = 0;  // the first byte that is still kept
    qint64 end = 0;    // all that was ever written
    qint64 seq = 0;    // of the terminal topic at `end`
    QString generation;
};

} // namespace foundry
