// Blocking work on files, done on a thread of the pool and answered in the thread that asked. The answer does not come
// when `context` is gone by then; the work itself is not interrupted, so it must be short or bounded.
#pragma once

#include <QFutureWatcher>
#include <QPromise>
#include <QThreadPool>

#include <functional>
#include <memory>

namespace foundry::backend {

template <class T>
void workAside(QObject *context, std::function<T()> work, std::function<void(T)> done)
{
    auto *watcher = new QFutureWatcher<std::shared_ptr<T>>(context);
    auto promise = std::make_shared<QPromise<std::shared_ptr<T>>>();
    QObject::connect(watcher, &QFutureWatcherBase::finished, context, [watcher, done = std::move(done)] {
        watcher->deleteLater();
        done(std::move(*watcher->result()));
    });
    promise->start();
    watcher->setFuture(promise->future());
    QThreadPool::globalInstance()->start([work = std::move(work), promise] {
        promise->addResult(std::make_shared<T>(work()));
        promise->finish();
    });
}

} // namespace foundry::backend
