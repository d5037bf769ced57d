// The host's log: DATA/host.log, at most two files of 2 MiB. Takes over Qt's messages; any thread. Lines go to standard
// error as well, so that whoever started the host by hand sees them. One message is one line: time, level, category, text;
// notable events are one JSON object each (backend/observe/logline.h).
#pragma once

#include <QString>

namespace foundry::backend {

// Before it nothing is written to a file. Called once, by main. `secret` is written to no line.
void startHostLog(const QString &path, const QString &secret = {});
// The host is up: no more lines to a standard error that is a file (the launcher's), which nobody would bound.
void endStartLog();

} // namespace foundry::backend
