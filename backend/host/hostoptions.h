// The command line of foundry-host.
#pragma once

#include "backend/host/hostconfig.h"
#include "models/types/result.h"

#include <QStringList>

namespace foundry::backend {

struct HostOptions {
    HostConfig config;
    QString print; // --help, --version: print this and go
};

// Errors are input.invalid with a sentence. Directories by XDG where nothing is named.
Result<HostOptions> parseHostOptions(const QStringList &arguments, const QString &programDir);

// $XDG_DATA_HOME/foundry
QString defaultDataDir();

} // namespace foundry::backend
