// The host's log: DATA/host.log, at most two files of 2 MiB. Takes over Qt's messages; any thread. Lines go to standard
// error as well, so that whoever started the host by hand sees them.
#pragma once

#include <QString>

namespace foundry::backend {

// Before it nothing is written to a file. Called once, by main.
void startHostLog(const QString &path);
// The host is up: no more lines to a standard error that is a file (the launcher's), which nobody would bound.
void endStartLog();

} // namespace foundry::backend
