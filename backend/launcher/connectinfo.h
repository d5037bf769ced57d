// What the host's connect file says, and small questions about processes. Blocking; used on pool threads.
#pragma once

#include "models/types/result.h"

#include <QString>

namespace foundry {

struct ConnectInfo {
    QString version;
    QString endpoint;
    QString token;
    qint64 pid = 0;
};

// client.no_connect_file when there is none or it cannot be used (another owner, wider permissions, no JSON).
Result<ConnectInfo> readConnectInfo(const QString &path);
bool processLives(qint64 pid);
// The last lines of a text file; empty when there is none.
QString fileTail(const QString &path, qsizetype bytes = 4096);
// -1, 0, 1 as the dotted numbers a and b compare.
int compareVersions(const QString &a, const QString &b);

} // namespace foundry
