#include "backend/git/removetree.h"

#include <QFile>
#include <QFutureWatcher>
#include <QPromise>
#include <QThreadPool>

#include <filesystem>
#include <memory>

namespace foundry::backend {

void removeTree(const QString &path, QObject *context, std::function<void(bool)> done)
{
    auto *watcher = new QFutureWatcher<bool>(context);
    auto promise = std::make_shared<QPromise<bool>>();
    QObject::connect(watcher, &QFutureWatcher<bool>::finished, context, [watcher, done = std::move(done)] {
        watcher->deleteLater();
        done(watcher->future().resultCount() > 0 && watcher->result());
    });
    promise->start();
    watcher->setFuture(promise->future());
    QThreadPool::globalInstance()->start([path, promise] {
        // Not QDir: names that are not UTF-8 are removed too.
        std::error_code failed;
        std::filesystem::remove_all(QFile::encodeName(path).constData(), failed);
        promise->addResult(!failed);
        promise->finish();
    });
}

} // namespace foundry::backend
