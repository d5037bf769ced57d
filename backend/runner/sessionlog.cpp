#include "backend/runner/sessionlog.h"

#include <QDir>
#include <QJsonDocument>
#include <QRegularExpression>

namespace foundry::runner {

namespace {

constexpr qint64 logMaxBytes = 8 * 1024 * 1024;

QString logFolder()
{
    QString own = qEnvironmentVariable("FOUNDRY_RUNNER_STATE");
    if (!own.isEmpty())
        return own;
    const QString state = qEnvironmentVariable("XDG_STATE_HOME");
    return (state.isEmpty() ? QDir::homePath() + QStringLiteral("/.local/state") : state) + QStringLiteral("/foundry-runner");
}

// A session id comes over the wire and becomes a file name.
QString logFile(const QString &sessionId)
{
    static const QRegularExpression safe(QStringLiteral("^[0-9a-zA-Z-]{1,64}$"));
    return safe.match(sessionId).hasMatch() ? logFolder() + QLatin1Char('/') + sessionId + QStringLiteral(".jsonl") : QString();
}

bool logIsUserMessage(const QJsonObject &update)
{
    return update.value(QStringLiteral("sessionUpdate")).toString() == QLatin1String("user_message_chunk");
}

} // namespace

bool SessionLog::exists(const QString &sessionId)
{
    const QString file = logFile(sessionId);
    return !file.isEmpty() && QFile::exists(file);
}

SessionLog::SessionLog(const QString &sessionId)
    : m_file(logFile(sessionId))
{
    QDir().mkpath(logFolder());
    if (!m_file.fileName().isEmpty() && m_file.open(QIODevice::ReadWrite | QIODevice::Append))
        m_file.setPermissions(QFile::ReadOwner | QFile::WriteOwner);
    replay([this](const QJsonObject &update) { m_turns += logIsUserMessage(update); });
}

void SessionLog::append(const QJsonObject &update)
{
    m_turns += logIsUserMessage(update);
    if (!m_file.isOpen() || m_file.size() > logMaxBytes)
        return;
    m_file.write(QJsonDocument(update).toJson(QJsonDocument::Compact) + '\n');
    m_file.flush();
}

void SessionLog::replay(const std::function<void(const QJsonObject &)> &say)
{
    QFile in(m_file.fileName());
    if (!m_file.isOpen() || !in.open(QIODevice::ReadOnly))
        return;
    while (!in.atEnd()) {
        const QJsonObject update = QJsonDocument::fromJson(in.readLine()).object();
        if (!update.isEmpty())
            say(update);
    }
}

} // namespace foundry::runner
