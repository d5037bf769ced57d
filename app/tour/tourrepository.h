// A small repository for the tour, made with git by argument lists, step by step. GUI thread; nothing waits.
#pragma once

#include "models/types/result.h"

#include <QObject>
#include <QPointer>
#include <QStringList>

#include <functional>

namespace foundry::app {

class TourRepository : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    // `path` must not exist. Answered once: client/tour_git with git's words on failure.
    void make(const QString &path, QObject *context, std::function<void(Result<>)> answer);

private:
    void next();
    void finish(Result<> result);

    QString m_path;
    QList<QStringList> m_commands;
    QPointer<QObject> m_context;
    std::function<void(Result<>)> m_answer;
};

} // namespace foundry::app
