#include "backend/runner/runstep.h"

#include "backend/runner/testdetection.h"
#include "backend/runner/turn.h"

#include <QJsonArray>
#include <csignal>
#include <cstring>

namespace foundry::runner {

namespace {

constexpr qsizetype runHeadChars = 64 * 1024;
constexpr qsizetype runTailChars = 192 * 1024;
constexpr qsizetype runLiveChars = 12 * 1024; // shown while it runs; all of the rest at its end

QJsonArray runTextContent(const QString &text)
{
    return {QJsonObject{{QStringLiteral("type"), QStringLiteral("content")},
        {QStringLiteral("content"), QJsonObject{{QStringLiteral("type"), QStringLiteral("text")}, {QStringLiteral("text"), text}}}}};
}

QString runCodeSpan(const QString &text)
{
    return QLatin1Char('`') + QString(text).replace(QLatin1Char('`'), QLatin1Char('\'')) + QLatin1Char('`');
}

} // namespace

RunStep::RunStep(Turn &ofTurn, Command asked)
    : Step(ofTurn, std::move(asked))
{
    m_show.setSingleShot(true);
    m_show.setInterval(150);
    connect(&m_show, &QTimer::timeout, this, &RunStep::showOutput);
    connect(&m_child, &ChildProcess::finished, this, &RunStep::ended);
    connect(&m_child, &ChildProcess::output, this, [this](const QString &text) {
        const qsizetype toHead = std::min(text.size(), runHeadChars - m_head.size());
        m_head += QStringView(text).left(toHead);
        m_tail += QStringView(text).mid(toHead);
        if (m_tail.size() > 2 * runTailChars) {
            m_dropped += m_tail.size() - runTailChars;
            m_tail = m_tail.right(runTailChars);
        }
        if (!m_show.isActive())
            m_show.start();
    });
}

void RunStep::start()
{
    QStringList argv = command.args;
    if (command.name == QLatin1String("test")) {
        const DetectedTest found = detectTest(turn.root());
        if (found.command.isEmpty()) {
            turn.say(QStringLiteral("I found no tests here. I looked for %1.\n\nUse `/run` to start them yourself.").arg(testSourcesText()));
            Q_EMIT finished(false);
            return;
        }
        turn.say(QStringLiteral("Tests: %1, by %2.").arg(runCodeSpan(found.command.join(QLatin1Char(' '))), found.why));
        argv = found.command + command.args;
    }
    if (argv.isEmpty()) {
        turn.say(QStringLiteral("Say what to run: `/run COMMAND ARGUMENTS…`."));
        Q_EMIT finished(false);
        return;
    }
    m_shown = command.name == QLatin1String("run") ? command.rest : argv.join(QLatin1Char(' '));
    m_callId = turn.newCallId();
    const QJsonObject call{{QStringLiteral("toolCallId"), m_callId}, {QStringLiteral("title"), m_shown},
        {QStringLiteral("kind"), QStringLiteral("execute")}, {QStringLiteral("status"), QStringLiteral("pending")},
        {QStringLiteral("rawInput"),
            QJsonObject{{QStringLiteral("command"), QJsonArray::fromStringList(argv)}, {QStringLiteral("cwd"), turn.root()}}}};
    turn.toolCall(call);
    turn.ask(QStringLiteral("execute"), call, [this, argv](bool allowed) {
        if (m_done)
            return;
        if (allowed) {
            run(argv);
            return;
        }
        m_done = true;
        turn.toolUpdate({{QStringLiteral("toolCallId"), m_callId}, {QStringLiteral("status"), QStringLiteral("failed")}});
        turn.say(QStringLiteral("%1 was not run.").arg(runCodeSpan(m_shown)));
        Q_EMIT finished(false);
    });
}

void RunStep::run(const QStringList &argv)
{
    m_running = true;
    m_clock.start();
    turn.toolUpdate({{QStringLiteral("toolCallId"), m_callId}, {QStringLiteral("status"), QStringLiteral("in_progress")}});
    m_child.start(argv, turn.root());
}

void RunStep::cancel()
{
    if (m_done)
        return;
    if (m_running) {
        m_child.stop(); // ended() comes
        return;
    }
    m_done = true;
    turn.toolUpdate({{QStringLiteral("toolCallId"), m_callId}, {QStringLiteral("status"), QStringLiteral("failed")}});
    Q_EMIT finished(false);
}

QString RunStep::outputText(qsizetype limit) const
{
    QString text;
    if (m_dropped > 0)
        text = m_head + QStringLiteral("\n… (%1 characters were left out) …\n").arg(m_dropped) + m_tail;
    else
        text = m_head + m_tail;
    if (text.size() <= limit)
        return text;
    // From the beginning of a line.
    const qsizetype from = text.indexOf(QLatin1Char('\n'), text.size() - limit);
    return QStringLiteral("…\n") + text.mid(from < 0 || from + 1 >= text.size() ? text.size() - limit : from + 1);
}

void RunStep::showOutput()
{
    turn.toolUpdate({{QStringLiteral("toolCallId"), m_callId}, {QStringLiteral("content"), runTextContent(outputText(runLiveChars))}});
}

void RunStep::ended(int code, int signal, const QString &error)
{
    if (std::exchange(m_done, true))
        return;
    m_show.stop();
    const bool ok = code == 0 && signal == 0 && error.isEmpty() && !m_child.wasStopped();
    const double seconds = double(m_clock.elapsed()) / 1000;
    QString how;
    if (m_child.wasStopped())
        how = QStringLiteral("was stopped");
    else if (!error.isEmpty())
        how = QStringLiteral("could not be started: %1").arg(error);
    else if (signal != 0)
        how = QStringLiteral("was ended by signal %1 (%2)").arg(signal).arg(QString::fromLocal8Bit(::strsignal(signal)));
    else
        how = QStringLiteral("exited with status %1").arg(code);
    QJsonObject output{{QStringLiteral("durationMs"), m_clock.elapsed()}};
    if (signal != 0)
        output.insert(QStringLiteral("signal"), signal);
    else if (error.isEmpty())
        output.insert(QStringLiteral("exitCode"), code);
    else
        output.insert(QStringLiteral("error"), error);
    turn.toolUpdate({{QStringLiteral("toolCallId"), m_callId},
        {QStringLiteral("status"), ok ? QStringLiteral("completed") : QStringLiteral("failed")},
        {QStringLiteral("content"), runTextContent(outputText(runHeadChars + 2 * runTailChars + 200))}, {QStringLiteral("rawOutput"), output}});
    turn.say(QStringLiteral("%1 %2 after %3 s.").arg(runCodeSpan(m_shown), how, QString::number(seconds, 'f', 1)));
    Q_EMIT finished(ok);
}

} // namespace foundry::runner
