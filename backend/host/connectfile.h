// The file that tells clients of this user where the host is: {"version","endpoint","token","pid"}, 0600 from its first
// byte, replaced in one step.
#pragma once

#include "backend/host/hostconfig.h"
#include "models/types/result.h"

namespace foundry::backend {

Result<> writeConnectFile(const HostConfig &config, const QString &endpoint);
// Removes it when it is still this host's.
void removeConnectFile(const HostConfig &config);

struct ConnectContent {
    QString endpoint;
    QString token;
};
// state.not_ready when there is none (yet); internal.connect_file when it is not one, or others may have written it.
Result<ConnectContent> readConnectFile(const QString &path);

} // namespace foundry::backend
