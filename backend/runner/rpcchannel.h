// JSON-RPC over standard input and output, one object per line. Reads through the event loop, so that a cancel is heard
// while a command runs; writes at once, so that a slow reader slows the runner down instead of filling its memory.
#pragma once

#include <QHash>
#include <QJsonObject>
#include <QObject>
#include <functional>

class QSocketNotifier;

namespace foundry::runner {

class RpcChannel : public QObject {
    Q_OBJECT
public:
    RpcChannel(int inputFd, int outputFd, QObject *parent = nullptr);

    void notify(const QString &method, const QJsonObject &params);
    void respond(const QJsonValue &id, const QJsonObject &result);
    void refuse(const QJsonValue &id, int code, const QString &message);
    // `then` gets the result, or an empty object for an error answer. The id serves forget().
    int request(const QString &method, const QJsonObject &params, const std::function<void(const QJsonObject &)> &then);
    void forget(int requestId); // an answer that comes later is ignored

Q_SIGNALS:
    void requested(const QJsonValue &id, const QString &method, const QJsonObject &params);
    void notified(const QString &method, const QJsonObject &params);
    void closed(); // end of input, or nobody reads the output any more

private:
    void read();
    void take(const QByteArray &line);
    void write(QJsonObject message);

    int m_inputFd;
    int m_outputFd;
    QSocketNotifier *m_notifier;
    QByteArray m_buffer;
    QHash<int, std::function<void(const QJsonObject &)>> m_waiting;
    int m_nextId = 0;
};

} // namespace foundry::runner
