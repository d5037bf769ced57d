// Removes a folder and all below it on a worker thread; links are removed, not followed. `done(true)` when nothing is
// left; it never comes when the context is gone (the removal goes on). Must be called with an event loop.
#pragma once

#include <QObject>
#include <functional>

namespace foundry::backend {

void removeTree(const QString &path, QObject *context, std::function<void(bool)> done);

} // namespace foundry::backend
