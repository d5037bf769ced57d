// Calls that wait for their answer. Each is answered exactly once: by the server, by its deadline, or by the end of the
// link; never twice, and never after its context is gone. Thread of its owner.
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QElapsedTimer>
#include <QMap>
#include <QObject>
#include <QPointer>
#include <QTimer>
#include <chrono>
#include <functional>

namespace foundry::realtime {

using CallAnswer = std::function<void(Result<QByteArray>)>;

class PendingCalls : public QObject {
    Q_OBJECT

public:
    explicit PendingCalls(QObject *parent = nullptr);

    // Ids from 1: some servers take id 0 for the connection itself. The deadline's error is client.timeout.
    quint64 add(std::chrono::milliseconds deadline, QObject *context, CallAnswer answer);
    // False for an id that is not (or no longer) waiting: a reply after its deadline.
    bool answer(quint64 id, Result<QByteArray> result);
    void failAll(const Error &error);
    int count() const { return int(m_calls.size()); }

Q_SIGNALS:
    // A deadline passed: the link may be dead.
    void timedOut();

private:
    struct Call {
        qint64 due = 0; // by m_clock
        QPointer<QObject> context;
        CallAnswer answer;
    };

    void expire();
    void arm();
    static void deliver(Call &call, Result<QByteArray> result);

    QMap<quint64, Call> m_calls;
    quint64 m_lastId = 0;
    QElapsedTimer m_clock; // monotonic: a jump of the wall clock answers nothing
    QTimer m_timer;
};

} // namespace foundry::realtime
