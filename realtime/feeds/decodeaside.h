// Decodes large JSON on a worker thread, small JSON at once. The continuation runs on the context's thread and dies
// with it.
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QFutureWatcher>
#include <QObject>
#include <QPromise>
#include <QThreadPool>
#include <functional>
#include <memory>

namespace foundry::realtime {

// Below this the decoding costs less than a frame's fraction; above, the window's thread is not the place for it.
constexpr qsizetype decodeAsideFrom = 64 * 1024;

template <class T>
void decodeAside(QByteArray json, Result<T> (*decode)(QByteArrayView), QObject *context,
    std::function<void(Result<T>)> then)
{
    if (json.size() < decodeAsideFrom) {
        then(decode(json));
        return;
    }
    using Made = std::shared_ptr<Result<T>>;
    auto promise = std::make_shared<QPromise<Made>>();
    auto *watcher = new QFutureWatcher<Made>(context);
    QObject::connect(watcher, &QFutureWatcher<Made>::finished, context, [watcher, then = std::move(then)] {
        watcher->deleteLater();
        then(std::move(*watcher->result()));
    });
    watcher->setFuture(promise->future());
    QThreadPool::globalInstance()->start([promise, decode, json = std::move(json)] {
        promise->start();
        promise->addResult(std::make_shared<Result<T>>(decode(json)));
        promise->finish();
    });
}

} // namespace foundry::realtime
