#include "backend/runner/findstep.h"

#include "backend/runner/turn.h"

#include <QJsonArray>
#include <QRegularExpression>

namespace foundry::runner {

namespace {

constexpr int findMaxShown = 200;
constexpr int findMaxLineChars = 300;

// A mark in capitals, as people write it in comments: at the line's beginning or after something that is no letter.
const QRegularExpression &findTodoMark()
{
    static const QRegularExpression mark(QStringLiteral("(?:^|[^A-Za-z0-9_])(TODO|FIXME|XXX|HACK)(?![A-Za-z0-9_])"));
    return mark;
}

} // namespace

void FindStep::start()
{
    m_text = command.rest;
    // Quotes around the whole text hold blanks at its ends.
    if (m_text.size() >= 2 && (m_text.startsWith(QLatin1Char('"')) || m_text.startsWith(QLatin1Char('\''))) && m_text.endsWith(m_text.front()))
        m_text = m_text.mid(1, m_text.size() - 2);
    const bool todo = command.name == QLatin1String("todo");
    if (!todo && m_text.isEmpty()) {
        turn.say(QStringLiteral("Say what to find: `/find TEXT`."));
        Q_EMIT finished(false);
        return;
    }
    m_callId = turn.newCallId();
    turn.toolCall({{QStringLiteral("toolCallId"), m_callId},
        {QStringLiteral("title"), todo ? QStringLiteral("TODO comments") : QStringLiteral("Find “%1”").arg(m_text)},
        {QStringLiteral("kind"), QStringLiteral("search")}, {QStringLiteral("status"), QStringLiteral("in_progress")}});
    m_scan = std::make_unique<FileScan>(turn.root(), [this](const QString &path, const QByteArray &content) { return visit(path, content); });
    connect(m_scan.get(), &FileScan::finished, this, &FindStep::scanned);
    m_scan->start();
}

void FindStep::cancel()
{
    if (!m_scan)
        return;
    m_scan.release()->deleteLater(); // perhaps it is the one that calls
    turn.toolUpdate({{QStringLiteral("toolCallId"), m_callId}, {QStringLiteral("status"), QStringLiteral("failed")}});
    Q_EMIT finished(false);
}

bool FindStep::visit(const QString &path, const QByteArray &content)
{
    const bool todo = command.name == QLatin1String("todo");
    const QByteArray needle = m_text.toUtf8();
    // Most files hold nothing: look at their bytes before their lines.
    if (!todo && !content.contains(needle))
        return true;
    const int before = m_total;
    int number = 0;
    for (const QByteArray &line : content.split('\n')) {
        ++number;
        const QString text = todo ? QString::fromUtf8(line) : QString();
        if (todo ? !findTodoMark().match(text).hasMatch() : !line.contains(needle))
            continue;
        ++m_total;
        if (m_found.size() < findMaxShown)
            m_found.append({path, number, QString::fromUtf8(line).trimmed().left(findMaxLineChars)});
    }
    m_files += m_total > before;
    return true;
}

void FindStep::scanned(const ScanStats &stats)
{
    QString text;
    QJsonArray locations;
    for (const FoundLine &found : std::as_const(m_found)) {
        text += QStringLiteral("%1:%2: %3\n").arg(found.path).arg(found.line).arg(found.text);
        locations.append(QJsonObject{{QStringLiteral("path"), turn.root() + QLatin1Char('/') + found.path}, {QStringLiteral("line"), found.line}});
    }
    turn.toolUpdate({{QStringLiteral("toolCallId"), m_callId}, {QStringLiteral("status"), QStringLiteral("completed")},
        {QStringLiteral("locations"), locations},
        {QStringLiteral("content"),
            QJsonArray{QJsonObject{{QStringLiteral("type"), QStringLiteral("content")},
                {QStringLiteral("content"), QJsonObject{{QStringLiteral("type"), QStringLiteral("text")}, {QStringLiteral("text"), text}}}}}},
        {QStringLiteral("rawOutput"),
            QJsonObject{{QStringLiteral("lines"), m_total}, {QStringLiteral("files"), m_files}, {QStringLiteral("filesRead"), stats.files},
                {QStringLiteral("filesSkipped"), stats.skipped}}}});
    command.name == QLatin1String("todo") ? reportTodo() : reportFind(stats);
    m_scan.release()->deleteLater();
    Q_EMIT finished(true);
}

void FindStep::reportFind(const ScanStats &stats)
{
    QString said = m_total == 0
        ? QStringLiteral("Nothing found in %1 files.").arg(stats.files)
        : QStringLiteral("Found in %1 lines of %2 files (%3 were read).").arg(m_total).arg(m_files).arg(stats.files);
    if (m_total > findMaxShown)
        said += QStringLiteral(" The first %1 lines are shown.").arg(findMaxShown);
    if (stats.skipped > 0)
        said += QStringLiteral(" Left out: %1 files that are binary or larger than 2 MiB.").arg(stats.skipped);
    turn.say(said);
}

void FindStep::reportTodo()
{
    if (m_total == 0) {
        turn.say(QStringLiteral("There are no TODO, FIXME, XXX or HACK comments."));
        return;
    }
    for (const FoundLine &found : std::as_const(m_found)) {
        const QRegularExpressionMatch mark = findTodoMark().match(found.text);
        const QString kind = mark.captured(1);
        turn.addPlanStep({QStringLiteral("%1:%2 %3").arg(found.path).arg(found.line).arg(found.text.mid(mark.capturedStart(1))),
            kind == QLatin1String("FIXME") ? QStringLiteral("high") : kind == QLatin1String("TODO") ? QStringLiteral("medium") : QStringLiteral("low"),
            QStringLiteral("pending")});
    }
    turn.publishPlan();
    turn.say(QStringLiteral("%1 comments in %2 files are in the plan%3. I have no AI model to work on them; an AI agent in this task can.")
                 .arg(m_total)
                 .arg(m_files)
                 .arg(m_total > m_found.size() ? QStringLiteral(" (the first %1)").arg(m_found.size()) : QString()));
}

} // namespace foundry::runner
