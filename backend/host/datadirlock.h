// Keeps two hosts off one data directory: an advisory lock on DIR/host.lock that the system releases when the process
// ends, however it ends. The holder's pid is written in it.
#pragma once

#include "models/types/result.h"

namespace foundry::backend {

class DataDirLock {
public:
    DataDirLock() = default;
    ~DataDirLock();
    DataDirLock(const DataDirLock &) = delete;
    DataDirLock &operator=(const DataDirLock &) = delete;

    // Makes the directory (0700) when it is not there. state.locked names who holds it.
    Result<> acquire(const QString &dataDir);

private:
    int m_file = -1;
};

} // namespace foundry::backend
