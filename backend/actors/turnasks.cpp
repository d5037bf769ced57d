// What an agent asks in a turn, permissions and questions: into the transcript and to the user's attention, and the answer
// back. A part of TurnWorkflow.
#include "backend/actors/taskattention.h"
#include "backend/actors/turnworkflow.h"
#include "backend/agents/acpquestion.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace foundry::backend {

namespace {

Error asksGone(const QString &message)
{
    return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), message);
}

// What the whole tool call said, in short, for a list that is read at a glance.
QString asksDetail(const ToolCall &call)
{
    for (const ToolContent &content : call.content) {
        if (const auto *diff = std::get_if<ToolDiff>(&content))
            return diff->path;
    }
    if (!call.locations.isEmpty())
        return call.locations.first().path;
    if (call.rawInput) {
        const QJsonObject input = QJsonDocument::fromJson(call.rawInput->shown().toUtf8()).object();
        const QString command = input.value(QLatin1StringView("command")).toString();
        if (!command.isEmpty())
            return command.left(300);
    }
    return {};
}

} // namespace

Result<> TurnWorkflow::answerPermission(Transaction &tx, const AnswerPermission &command, const QString &by)
{
    const QString permission = command.permissionRequestId.isEmpty() ? command.requestId.value : command.permissionRequestId;
    for (const SessionState &state : m_store.states()) {
        TranscriptWriter &writer = m_transcripts.of(state.session);
        const auto entry = writer.permissionEntry(permission);
        if (!entry || !entry->permission)
            continue;
        const PermissionAsk &ask = *entry->permission;
        const auto option = std::find_if(ask.options.begin(), ask.options.end(),
            [&command](const PermissionOption &one) { return one.id == command.optionId; });
        if (option == ask.options.end())
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
                QStringLiteral("This request has no answer “%1”.").arg(command.optionId), {}, QStringLiteral("optionId"));
        writer.answerPermission(tx, permission, option->id, by);
        m_attention.remove(tx, permission);
        tx.send(sandbox(), QStringLiteral("answerPermission"), encodePermissionAnswer({state.session, permission, option->id}));
        if (option->kind.endsWith(QLatin1StringView("_always"))) {
            if (auto task = m_store.task()) { // the agent keeps it; here it is written down for people
                task->grants.insert(ask.title, option->kind);
                tx.put(TaskStore::topic(), *task);
            }
        }
        return Unit{};
    }
    return asksGone(QStringLiteral("This request was answered already, or its turn has ended."));
}

Result<> TurnWorkflow::permissionAsked(Transaction &tx, const PermissionAsked &asked)
{
    const auto state = m_store.state(asked.session);
    const auto turn = state ? m_store.turn(state->openTurn) : std::nullopt;
    if (!turn || turn->turn != asked.turn || turn->cancelling) {
        tx.send(sandbox(), QStringLiteral("answerPermission"), encodePermissionAnswer({asked.session, asked.ask.requestId, {}}));
        return Unit{};
    }
    PermissionAsk ask = asked.ask;
    if (ask.title.isEmpty())
        ask.title = asked.call.title;
    const qint64 index = m_transcripts.of(asked.session).askPermission(tx, ask);
    Attention attention;
    attention.id = ask.requestId;
    attention.sessionId = asked.session;
    attention.reason = AttentionReason::Permission;
    attention.entryIndex = index;
    attention.requestId = ask.requestId;
    attention.title = ask.title;
    if (const QString detail = asksDetail(asked.call); !detail.isEmpty())
        attention.detail = detail;
    attention.options = ask.options;
    m_attention.put(tx, attention);
    return Unit{};
}

Result<> TurnWorkflow::permissionWithdrawn(Transaction &tx, const PermissionAnswer &answer)
{
    m_transcripts.of(answer.session).answerPermission(tx, answer.permission, QStringLiteral("cancelled"), {});
    m_attention.remove(tx, answer.permission);
    return Unit{};
}

Result<> TurnWorkflow::questionAsked(Transaction &tx, const QuestionAsked &asked)
{
    const auto state = m_store.state(asked.session);
    const auto turn = state ? m_store.turn(state->openTurn) : std::nullopt;
    if (!turn || turn->turn != asked.turn || turn->cancelling) {
        tx.send(sandbox(), QStringLiteral("answerQuestion"),
            encodeQuestionAnswer({asked.session, asked.ask.requestId, QStringLiteral("cancel"), {}}));
        return Unit{};
    }
    Attention attention;
    attention.id = asked.ask.requestId;
    attention.sessionId = asked.session;
    attention.reason = AttentionReason::Question;
    attention.entryIndex = m_transcripts.of(asked.session).askQuestion(tx, asked.ask);
    attention.requestId = asked.ask.requestId;
    attention.title = asked.ask.message.simplified().left(200);
    if (asked.ask.url)
        attention.detail = *asked.ask.url;
    m_attention.put(tx, attention);
    return Unit{};
}

Result<> TurnWorkflow::questionWithdrawn(Transaction &tx, const QuestionAnswer &answer)
{
    QuestionAsk gone;
    gone.answer = answer.action;
    m_transcripts.of(answer.session).answerQuestion(tx, answer.question, gone);
    m_attention.remove(tx, answer.question);
    return Unit{};
}

Result<> TurnWorkflow::answerQuestion(Transaction &tx, const AnswerQuestion &command, const QString &by)
{
    static constexpr QLatin1StringView actions[] = {QLatin1StringView("accept"), QLatin1StringView("decline"), QLatin1StringView("cancel")};
    if (std::find(std::begin(actions), std::end(actions), command.answer) == std::end(actions))
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("A question is answered by accept, decline or cancel, not “%1”.").arg(command.answer.left(100)), {}, QStringLiteral("answer"));
    const bool accepts = command.answer == actions[0];
    for (const SessionState &state : m_store.states()) {
        TranscriptWriter &writer = m_transcripts.of(state.session);
        const auto entry = writer.questionEntry(command.questionRequestId);
        if (!entry || !entry->question)
            continue;
        // What the agent would refuse is said here, while the question is still open.
        if (accepts) {
            if (auto content = acpQuestionContent(*entry->question, command.values); !content)
                return content.error();
        }
        QuestionAsk answered;
        answered.answer = command.answer;
        if (accepts)
            answered.values = command.values;
        answered.answeredBy = by;
        writer.answerQuestion(tx, command.questionRequestId, answered);
        m_attention.remove(tx, command.questionRequestId);
        tx.send(sandbox(), QStringLiteral("answerQuestion"),
            encodeQuestionAnswer({state.session, command.questionRequestId, command.answer, answered.values}));
        return Unit{};
    }
    return asksGone(QStringLiteral("This question was answered already, or its turn has ended."));
}

void TurnWorkflow::dismissAsks(Transaction &tx, const SessionId &session)
{
    TranscriptWriter &writer = m_transcripts.of(session);
    for (const QString &permission : writer.openPermissions()) {
        writer.answerPermission(tx, permission, QStringLiteral("cancelled"), {});
        m_attention.remove(tx, permission);
    }
    QuestionAsk dismissed;
    dismissed.answer = QStringLiteral("cancel");
    for (const QString &question : writer.openQuestions()) {
        writer.answerQuestion(tx, question, dismissed);
        m_attention.remove(tx, question);
    }
}

} // namespace foundry::backend
