#include "backend/runner/turn.h"

#include "backend/runner/helptext.h"
#include "backend/runner/sessionlog.h"
#include "backend/runner/step.h"

#include <QTimer>

namespace foundry::runner {

Turn::Turn(RpcChannel &channel, SessionState &session, QObject *parent)
    : QObject(parent)
    , m_channel(channel)
    , m_session(session)
{
}

Turn::~Turn()
{
    if (m_asked >= 0)
        m_channel.forget(m_asked);
}

void Turn::start(const QString &prompt)
{
    m_session.log->append({{QStringLiteral("sessionUpdate"), QStringLiteral("user_message_chunk")},
        {QStringLiteral("content"), QJsonObject{{QStringLiteral("type"), QStringLiteral("text")}, {QStringLiteral("text"), prompt}}}});
    const ParsedPrompt parsed = parsePrompt(prompt);
    if (!parsed.error.isEmpty()) {
        say(parsed.error + QStringLiteral(" Nothing was done."));
    } else if (!parsed.unknown.isEmpty()) {
        say(unknownCommandText(parsed.unknown));
    } else if (parsed.commands.isEmpty()) {
        say(freeTextAnswer());
    } else {
        m_commands = parsed.commands;
        if (m_commands.size() > 1) {
            for (const Command &command : m_commands)
                m_plan.append({command.line()});
            publishPlan();
        }
    }
    next();
}

void Turn::next()
{
    if (m_cancelled) {
        end(QStringLiteral("cancelled"));
        return;
    }
    if (++m_current >= m_commands.size()) {
        end(QStringLiteral("end_turn"));
        return;
    }
    if (m_commands.size() > 1)
        setPlanStatus(int(m_current), QStringLiteral("in_progress"));
    m_step = makeStep(*this, m_commands[m_current]);
    // Queued: a step may end inside of its start, and it is destroyed after its end.
    connect(m_step.get(), &Step::finished, this, &Turn::stepDone, Qt::QueuedConnection);
    m_step->start();
}

void Turn::stepDone(bool ok)
{
    m_step.reset();
    if (ok && m_commands.size() > 1)
        setPlanStatus(int(m_current), QStringLiteral("completed"));
    if (ok || m_cancelled) {
        next();
        return;
    }
    if (m_commands.size() > 1) {
        setPlanStatus(int(m_current), QStringLiteral("pending"));
        if (m_current + 1 < m_commands.size())
            say(QStringLiteral("Stopped here; what comes after `%1` was not begun.").arg(m_commands[m_current].line().section(QLatin1Char('\n'), 0, 0)));
    }
    end(QStringLiteral("end_turn"));
}

void Turn::cancel()
{
    if (m_cancelled || m_ended)
        return;
    m_cancelled = true;
    if (m_asked >= 0)
        m_channel.forget(std::exchange(m_asked, -1));
    if (m_step)
        m_step->cancel();
}

void Turn::end(const QString &stopReason)
{
    if (std::exchange(m_ended, true))
        return;
    QTimer::singleShot(0, this, [this, stopReason] { Q_EMIT finished(stopReason); });
}

void Turn::update(const QJsonObject &fields)
{
    m_session.log->append(fields);
    m_channel.notify(QStringLiteral("session/update"),
        {{QStringLiteral("sessionId"), m_session.id}, {QStringLiteral("update"), fields}});
}

void Turn::say(const QString &markdown)
{
    update({{QStringLiteral("sessionUpdate"), QStringLiteral("agent_message_chunk")},
        {QStringLiteral("content"),
            QJsonObject{{QStringLiteral("type"), QStringLiteral("text")}, {QStringLiteral("text"), markdown + QStringLiteral("\n\n")}}}});
}

void Turn::toolCall(const QJsonObject &fields)
{
    QJsonObject call = fields;
    call.insert(QStringLiteral("sessionUpdate"), QStringLiteral("tool_call"));
    update(call);
}

void Turn::toolUpdate(const QJsonObject &fields)
{
    QJsonObject call = fields;
    call.insert(QStringLiteral("sessionUpdate"), QStringLiteral("tool_call_update"));
    update(call);
}

void Turn::ask(const QString &kind, const QJsonObject &call, std::function<void(bool)> then)
{
    if (m_session.grants.contains(kind)) {
        then(true);
        return;
    }
    const bool edit = kind == QLatin1String("edit");
    const auto option = [](const char *id, const QString &name) {
        return QJsonObject{{QStringLiteral("optionId"), QLatin1String(id)}, {QStringLiteral("kind"), QLatin1String(id)},
            {QStringLiteral("name"), name}};
    };
    const QJsonArray options{option("allow_once", edit ? QStringLiteral("Write") : QStringLiteral("Run")),
        option("allow_always", edit ? QStringLiteral("Always write in this session") : QStringLiteral("Always run in this session")),
        option("reject_once", QStringLiteral("Reject"))};
    m_asked = m_channel.request(QStringLiteral("session/request_permission"),
        {{QStringLiteral("sessionId"), m_session.id}, {QStringLiteral("toolCall"), call}, {QStringLiteral("options"), options}},
        [this, kind, then = std::move(then)](const QJsonObject &result) {
            m_asked = -1;
            const QJsonObject outcome = result.value(QStringLiteral("outcome")).toObject();
            const QString chosen = outcome.value(QStringLiteral("optionId")).toString();
            if (outcome.value(QStringLiteral("outcome")).toString() == QLatin1String("cancelled"))
                m_cancelled = true; // the client ends the turn; session/cancel says so too
            if (chosen == QLatin1String("allow_always"))
                m_session.grants.insert(kind);
            then(chosen.startsWith(QLatin1String("allow_")));
        });
}

QString Turn::newCallId()
{
    return QStringLiteral("%1-%2").arg(m_session.log->nextTurn()).arg(++m_calls);
}

int Turn::addPlanStep(const PlanStep &step)
{
    m_plan.append(step);
    return int(m_plan.size()) - 1;
}

void Turn::setPlanStatus(int index, const QString &status)
{
    m_plan[index].status = status;
    publishPlan();
}

void Turn::publishPlan()
{
    QJsonArray entries;
    for (const PlanStep &step : std::as_const(m_plan)) {
        entries.append(QJsonObject{{QStringLiteral("content"), step.content}, {QStringLiteral("priority"), step.priority},
            {QStringLiteral("status"), step.status}});
    }
    update({{QStringLiteral("sessionUpdate"), QStringLiteral("plan")}, {QStringLiteral("entries"), entries}});
}

} // namespace foundry::runner
