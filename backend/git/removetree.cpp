#include "backend/git/removetree.h"

#include <QDir>
#include <QFileInfo>
#include <QFutureWatcher>
#include <QPromise>
#include <QThreadPool>

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
        const QFileInfo info(path);
        const bool gone = info.isSymLink() || (info.exists() && !info.isDir()) ? QFile::remove(path)
            : info.exists()                                                    ? QDir(path).removeRecursively()
                                                                               : true;
        promise->addResult(gone);
        promise->finish();
    });
}

} // namespace foundry::backend
