#include "backend/runner/rpcchannel.h"

#include <QJsonDocument>
#include <QSocketNotifier>
#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace foundry::runner {

RpcChannel::RpcChannel(int inputFd, int outputFd, QObject *parent)
    : QObject(parent)
    , m_inputFd(inputFd)
    , m_outputFd(outputFd)
    , m_notifier(new QSocketNotifier(inputFd, QSocketNotifier::Read, this))
{
    connect(m_notifier, &QSocketNotifier::activated, this, &RpcChannel::read);
}

void RpcChannel::read()
{
    char chunk[65536];
    const ssize_t n = ::read(m_inputFd, chunk, sizeof chunk);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        m_notifier->setEnabled(false);
        Q_EMIT closed();
        return;
    }
    m_buffer.append(chunk, qsizetype(n));
    qsizetype begin = 0;
    for (qsizetype end = m_buffer.indexOf('\n'); end >= 0; end = m_buffer.indexOf('\n', begin)) {
        take(m_buffer.mid(begin, end - begin));
        begin = end + 1;
    }
    m_buffer.remove(0, begin);
}

void RpcChannel::take(const QByteArray &line)
{
    if (line.trimmed().isEmpty())
        return;
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(line, &error);
    if (!document.isObject()) {
        refuse(QJsonValue::Null, -32700, QStringLiteral("Parse error: ") + error.errorString());
        return;
    }
    const QJsonObject message = document.object();
    const QString method = message.value(QStringLiteral("method")).toString();
    const QJsonValue id = message.value(QStringLiteral("id"));
    const QJsonObject params = message.value(QStringLiteral("params")).toObject();
    if (method.isEmpty()) {
        if (const auto then = m_waiting.take(id.toInt(-1)))
            then(message.value(QStringLiteral("result")).toObject());
    } else if (id.isUndefined()) {
        Q_EMIT notified(method, params);
    } else {
        Q_EMIT requested(id, method, params);
    }
}

void RpcChannel::write(QJsonObject message)
{
    message.insert(QStringLiteral("jsonrpc"), QStringLiteral("2.0"));
    const QByteArray line = QJsonDocument(message).toJson(QJsonDocument::Compact) + '\n';
    qsizetype done = 0;
    while (done < line.size()) {
        const ssize_t n = ::write(m_outputFd, line.constData() + done, size_t(line.size() - done));
        if (n > 0) {
            done += n;
        } else if (errno == EAGAIN) {
            pollfd wait{m_outputFd, POLLOUT, 0};
            ::poll(&wait, 1, -1);
        } else if (errno != EINTR) {
            Q_EMIT closed();
            return;
        }
    }
}

void RpcChannel::notify(const QString &method, const QJsonObject &params)
{
    write({{QStringLiteral("method"), method}, {QStringLiteral("params"), params}});
}

void RpcChannel::respond(const QJsonValue &id, const QJsonObject &result)
{
    write({{QStringLiteral("id"), id}, {QStringLiteral("result"), result}});
}

void RpcChannel::refuse(const QJsonValue &id, int code, const QString &message)
{
    write({{QStringLiteral("id"), id},
        {QStringLiteral("error"), QJsonObject{{QStringLiteral("code"), code}, {QStringLiteral("message"), message}}}});
}

int RpcChannel::request(const QString &method, const QJsonObject &params, const std::function<void(const QJsonObject &)> &then)
{
    const int id = m_nextId++;
    m_waiting.insert(id, then);
    write({{QStringLiteral("id"), id}, {QStringLiteral("method"), method}, {QStringLiteral("params"), params}});
    return id;
}

void RpcChannel::forget(int requestId)
{
    m_waiting.remove(requestId);
}

} // namespace foundry::runner
