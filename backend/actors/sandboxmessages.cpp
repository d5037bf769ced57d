#include "backend/actors/sandboxmessages.h"

#include "backend/actors/messagejson.h"

namespace foundry::backend {

namespace {

// A tool call, a plan or a usage in the codec's own words, carried by the entity that it is a part of.
TranscriptEntry toolCarrier(const ToolCall &call)
{
    TranscriptEntry entry;
    entry.kind = EntryKind::ToolCall;
    entry.tool = call;
    return entry;
}

QJsonObject usageObject(const Usage &usage)
{
    Session carrier;
    carrier.usage = usage;
    return messagejson::entityObject(carrier).value(QLatin1StringView("usage")).toObject();
}

std::optional<Usage> usageFrom(const QJsonObject &object)
{
    if (!object.contains(QLatin1StringView("usage")))
        return std::nullopt;
    QJsonObject carrier = messagejson::entityObject(Session{});
    carrier.insert(QLatin1StringView("usage"), object.value(QLatin1StringView("usage")));
    auto session = messagejson::entityFrom<Session>(carrier, QLatin1StringView("Session"), QStringLiteral("-"));
    return session ? session->usage : std::nullopt;
}

} // namespace

Usage mergedUsage(Usage known, const Usage &said)
{
    const auto take = [](auto &to, const auto &from) {
        if (from)
            to = from;
    };
    take(known.inputTokens, said.inputTokens);
    take(known.outputTokens, said.outputTokens);
    take(known.costUsd, said.costUsd);
    take(known.contextUsed, said.contextUsed);
    take(known.contextSize, said.contextSize);
    return known;
}

QByteArray encodeSandboxCreation(const SandboxCreation &creation)
{
    return messagejson::text({{QLatin1StringView("organization"), creation.organization.value}, {QLatin1StringView("repo"), creation.repo.value},
        {QLatin1StringView("task"), creation.task.value}, {QLatin1StringView("sandbox"), creation.sandbox.value}, {QLatin1StringView("provider"), creation.provider}});
}

Result<SandboxCreation> decodeSandboxCreation(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("organization"), QLatin1StringView("repo"), QLatin1StringView("task"), QLatin1StringView("sandbox")});
    if (!read)
        return read.error();
    return SandboxCreation{OrganizationId(read->value(QLatin1StringView("organization")).toString()),
        RepoId(read->value(QLatin1StringView("repo")).toString()), TaskId(read->value(QLatin1StringView("task")).toString()),
        SandboxId(read->value(QLatin1StringView("sandbox")).toString()), read->value(QLatin1StringView("provider")).toString()};
}

QByteArray encodeRunStage(const RunStage &stage)
{
    QJsonObject object{{QLatin1StringView("stage"), stage.stage}, {QLatin1StringView("attempt"), stage.attempt}, {QLatin1StringView("deadlineMs"), stage.deadlineMs}};
    messagejson::putText(object, QLatin1StringView("repositoryPath"), stage.repositoryPath);
    messagejson::putText(object, QLatin1StringView("branch"), stage.branch);
    messagejson::putText(object, QLatin1StringView("baseBranch"), stage.baseBranch);
    if (stage.adopt)
        object.insert(QLatin1StringView("adopt"), true);
    if (stage.fresh)
        object.insert(QLatin1StringView("fresh"), true);
    if (stage.launch)
        object.insert(QLatin1StringView("launch"), QJsonDocument::fromJson(encodeLaunch(*stage.launch)).object());
    messagejson::putText(object, QLatin1StringView("session"), stage.session.value);
    messagejson::putText(object, QLatin1StringView("agent"), stage.agent.value);
    messagejson::putText(object, QLatin1StringView("model"), stage.model);
    messagejson::putText(object, QLatin1StringView("mode"), stage.mode);
    if (!stage.options.isEmpty())
        object.insert(QLatin1StringView("options"), messagejson::textsObject(stage.options));
    return messagejson::text(object);
}

Result<RunStage> decodeRunStage(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("stage"), QLatin1StringView("attempt")});
    if (!read)
        return read.error();
    RunStage stage;
    stage.stage = read->value(QLatin1StringView("stage")).toString();
    stage.attempt = read->value(QLatin1StringView("attempt")).toInteger();
    stage.deadlineMs = read->value(QLatin1StringView("deadlineMs")).toInteger();
    stage.repositoryPath = read->value(QLatin1StringView("repositoryPath")).toString();
    stage.branch = read->value(QLatin1StringView("branch")).toString();
    stage.baseBranch = read->value(QLatin1StringView("baseBranch")).toString();
    stage.adopt = read->value(QLatin1StringView("adopt")).toBool();
    stage.fresh = read->value(QLatin1StringView("fresh")).toBool();
    if (read->contains(QLatin1StringView("launch")))
        stage.launch = decodeLaunch(messagejson::text(read->value(QLatin1StringView("launch")).toObject()));
    stage.session.value = read->value(QLatin1StringView("session")).toString();
    stage.agent.value = read->value(QLatin1StringView("agent")).toString();
    stage.model = messagejson::optionalText(*read, QLatin1StringView("model"));
    stage.mode = messagejson::optionalText(*read, QLatin1StringView("mode"));
    stage.options = messagejson::textsFrom(read->value(QLatin1StringView("options")).toObject());
    return stage;
}

QByteArray encodeStageEnded(const StageEnded &ended)
{
    QJsonObject object{{QLatin1StringView("stage"), ended.stage}, {QLatin1StringView("attempt"), ended.attempt}};
    messagejson::putError(object, ended.error);
    messagejson::putText(object, QLatin1StringView("message"), ended.message);
    messagejson::putText(object, QLatin1StringView("workTree"), ended.workTree);
    messagejson::putText(object, QLatin1StringView("head"), ended.head);
    messagejson::putText(object, QLatin1StringView("origin"), ended.origin);
    return messagejson::text(object);
}

Result<StageEnded> decodeStageEnded(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("stage"), QLatin1StringView("attempt")});
    if (!read)
        return read.error();
    StageEnded ended;
    ended.stage = read->value(QLatin1StringView("stage")).toString();
    ended.attempt = read->value(QLatin1StringView("attempt")).toInteger();
    ended.error = messagejson::optionalError(*read);
    ended.message = read->value(QLatin1StringView("message")).toString();
    ended.workTree = read->value(QLatin1StringView("workTree")).toString();
    ended.head = read->value(QLatin1StringView("head")).toString();
    ended.origin = read->value(QLatin1StringView("origin")).toString();
    return ended;
}

QByteArray encodeStageProgress(const StageProgress &progress)
{
    QJsonObject object{{QLatin1StringView("stage"), progress.stage}, {QLatin1StringView("attempt"), progress.attempt},
        {QLatin1StringView("message"), progress.message}, {QLatin1StringView("log"), progress.log}};
    if (progress.waits)
        object.insert(QLatin1StringView("waits"), *progress.waits);
    return messagejson::text(object);
}

Result<StageProgress> decodeStageProgress(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("stage"), QLatin1StringView("attempt")});
    if (!read)
        return read.error();
    StageProgress progress{read->value(QLatin1StringView("stage")).toString(), read->value(QLatin1StringView("attempt")).toInteger(),
        read->value(QLatin1StringView("message")).toString(), read->value(QLatin1StringView("log")).toString()};
    if (const QJsonValue waits = read->value(QLatin1StringView("waits")); waits.isBool())
        progress.waits = waits.toBool();
    return progress;
}

QByteArray encodeDeliverPrompt(const DeliverPrompt &deliver)
{
    return messagejson::text({{QLatin1StringView("turn"), deliver.turn}, {QLatin1StringView("session"), deliver.session.value},
        {QLatin1StringView("prompt"), messagejson::promptObject(deliver.prompt)},
        {QLatin1StringView("attachments"), messagejson::attachmentsArray(deliver.attachments)}});
}

Result<DeliverPrompt> decodeDeliverPrompt(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("turn"), QLatin1StringView("session"), QLatin1StringView("prompt")});
    if (!read)
        return read.error();
    return DeliverPrompt{read->value(QLatin1StringView("turn")).toString(), SessionId(read->value(QLatin1StringView("session")).toString()),
        messagejson::promptFrom(read->value(QLatin1StringView("prompt")).toObject()),
        messagejson::attachmentsFrom(read->value(QLatin1StringView("attachments")).toArray())};
}

QByteArray encodeTurnReport(const TurnReport &report)
{
    QJsonObject object{{QLatin1StringView("turn"), report.turn}, {QLatin1StringView("session"), report.session.value},
        {QLatin1StringView("stopReason"), report.stopReason}, {QLatin1StringView("updates"), report.updates}};
    if (report.usage)
        object.insert(QLatin1StringView("usage"), usageObject(*report.usage));
    messagejson::putError(object, report.error);
    return messagejson::text(object);
}

Result<TurnReport> decodeTurnReport(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("turn"), QLatin1StringView("session")});
    if (!read)
        return read.error();
    TurnReport report;
    report.turn = read->value(QLatin1StringView("turn")).toString();
    report.session.value = read->value(QLatin1StringView("session")).toString();
    report.stopReason = read->value(QLatin1StringView("stopReason")).toString();
    report.updates = read->value(QLatin1StringView("updates")).toInteger();
    report.usage = usageFrom(*read);
    report.error = messagejson::optionalError(*read);
    return report;
}

QByteArray encodeAgentUpdate(const AgentUpdate &update)
{
    return messagejson::text({{QLatin1StringView("session"), update.session.value}, {QLatin1StringView("turn"), update.turn},
        {QLatin1StringView("sequence"), update.sequence}, {QLatin1StringView("entry"), messagejson::entityObject(update.entry)},
        {QLatin1StringView("epoch"), update.mark.epoch}, {QLatin1StringView("bytes"), update.mark.bytes}});
}

Result<AgentUpdate> decodeAgentUpdate(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("session"), QLatin1StringView("entry")});
    if (!read)
        return read.error();
    auto entry = messagejson::entityFrom<TranscriptEntry>(
        read->value(QLatin1StringView("entry")).toObject(), QLatin1StringView("TranscriptEntry"), QStringLiteral("0"));
    if (!entry)
        return entry.error();
    return AgentUpdate{SessionId(read->value(QLatin1StringView("session")).toString()), read->value(QLatin1StringView("turn")).toString(),
        read->value(QLatin1StringView("sequence")).toInteger(), *entry,
        StreamMark{read->value(QLatin1StringView("epoch")).toInteger(), read->value(QLatin1StringView("bytes")).toInteger()}};
}

QByteArray encodePermissionAsked(const PermissionAsked &asked)
{
    TranscriptEntry entry = toolCarrier(asked.call);
    entry.permission = asked.ask;
    return messagejson::text({{QLatin1StringView("session"), asked.session.value}, {QLatin1StringView("turn"), asked.turn},
        {QLatin1StringView("entry"), messagejson::entityObject(entry)}});
}

Result<PermissionAsked> decodePermissionAsked(const QByteArray &json)
{
    auto update = decodeAgentUpdate(json);
    if (!update)
        return update.error();
    if (!update->entry.permission || !update->entry.tool)
        return makeError(QLatin1StringView("protocol"), QLatin1StringView("missing_field"), QStringLiteral("A permission request lacks its question."));
    return PermissionAsked{update->session, update->turn, *update->entry.permission, *update->entry.tool};
}

QByteArray encodePermissionAnswer(const PermissionAnswer &answer)
{
    return messagejson::text({{QLatin1StringView("session"), answer.session.value}, {QLatin1StringView("permission"), answer.permission},
        {QLatin1StringView("optionId"), answer.optionId}});
}

Result<PermissionAnswer> decodePermissionAnswer(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("session"), QLatin1StringView("permission")});
    if (!read)
        return read.error();
    return PermissionAnswer{SessionId(read->value(QLatin1StringView("session")).toString()), read->value(QLatin1StringView("permission")).toString(),
        read->value(QLatin1StringView("optionId")).toString()};
}

QByteArray encodeQuestionAsked(const QuestionAsked &asked)
{
    AgentUpdate carrier{asked.session, asked.turn, 0, {}};
    carrier.entry.kind = EntryKind::Question;
    carrier.entry.question = asked.ask;
    return encodeAgentUpdate(carrier);
}

Result<QuestionAsked> decodeQuestionAsked(const QByteArray &json)
{
    auto update = decodeAgentUpdate(json);
    if (!update)
        return update.error();
    if (!update->entry.question)
        return makeError(QLatin1StringView("protocol"), QLatin1StringView("missing_field"), QStringLiteral("A question lacks its words."));
    return QuestionAsked{update->session, update->turn, *update->entry.question};
}

QByteArray encodeQuestionAnswer(const QuestionAnswer &answer)
{
    return messagejson::text({{QLatin1StringView("session"), answer.session.value}, {QLatin1StringView("question"), answer.question},
        {QLatin1StringView("action"), answer.action}, {QLatin1StringView("values"), messagejson::textsObject(answer.values)}});
}

Result<QuestionAnswer> decodeQuestionAnswer(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("session"), QLatin1StringView("question")});
    if (!read)
        return read.error();
    return QuestionAnswer{SessionId(read->value(QLatin1StringView("session")).toString()), read->value(QLatin1StringView("question")).toString(),
        read->value(QLatin1StringView("action")).toString(), messagejson::textsFrom(read->value(QLatin1StringView("values")).toObject())};
}

QByteArray encodeSessionRequest(const SessionRequest &request)
{
    QJsonObject object{{QLatin1StringView("session"), request.session.value}};
    messagejson::putText(object, QLatin1StringView("agent"), request.agent.value);
    messagejson::putText(object, QLatin1StringView("turn"), request.turn);
    messagejson::putText(object, QLatin1StringView("optionId"), request.optionId);
    messagejson::putText(object, QLatin1StringView("value"), request.value);
    if (request.last)
        object.insert(QLatin1StringView("last"), true);
    return messagejson::text(object);
}

Result<SessionRequest> decodeSessionRequest(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("session")});
    if (!read)
        return read.error();
    return SessionRequest{SessionId(read->value(QLatin1StringView("session")).toString()), AgentId(read->value(QLatin1StringView("agent")).toString()),
        read->value(QLatin1StringView("turn")).toString(), read->value(QLatin1StringView("optionId")).toString(), read->value(QLatin1StringView("value")).toString(),
        read->value(QLatin1StringView("last")).toBool()};
}

QByteArray encodeSessionChanged(const SessionChanged &changed)
{
    QJsonObject object{{QLatin1StringView("session"), changed.session.value}};
    Session carrier;
    carrier.options = changed.options.value_or(QList<SessionOption>());
    carrier.commands = changed.commands.value_or(QList<AgentChoice>());
    carrier.usage = changed.usage;
    const QJsonObject all = messagejson::entityObject(carrier);
    if (changed.options)
        object.insert(QLatin1StringView("options"), all.value(QLatin1StringView("options")));
    if (changed.commands)
        object.insert(QLatin1StringView("commands"), all.value(QLatin1StringView("commands")));
    if (changed.usage)
        object.insert(QLatin1StringView("usage"), all.value(QLatin1StringView("usage")));
    messagejson::putText(object, QLatin1StringView("mode"), changed.mode);
    messagejson::putText(object, QLatin1StringView("model"), changed.model);
    messagejson::putText(object, QLatin1StringView("title"), changed.title);
    messagejson::putError(object, changed.error);
    return messagejson::text(object);
}

Result<SessionChanged> decodeSessionChanged(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("session")});
    if (!read)
        return read.error();
    SessionChanged changed;
    changed.session.value = read->value(QLatin1StringView("session")).toString();
    QJsonObject carrier = messagejson::entityObject(Session{});
    for (const QLatin1StringView key : {QLatin1StringView("options"), QLatin1StringView("commands"), QLatin1StringView("usage")}) {
        if (read->contains(key))
            carrier.insert(key, read->value(key));
    }
    auto session = messagejson::entityFrom<Session>(carrier, QLatin1StringView("Session"), changed.session.value);
    if (!session)
        return session.error();
    if (read->contains(QLatin1StringView("options")))
        changed.options = session->options;
    if (read->contains(QLatin1StringView("commands")))
        changed.commands = session->commands;
    changed.usage = session->usage;
    changed.mode = messagejson::optionalText(*read, QLatin1StringView("mode"));
    changed.model = messagejson::optionalText(*read, QLatin1StringView("model"));
    changed.title = messagejson::optionalText(*read, QLatin1StringView("title"));
    changed.error = messagejson::optionalError(*read);
    return changed;
}

QByteArray encodeAgentLost(const AgentLost &lost)
{
    QJsonObject object{{QLatin1StringView("agent"), lost.agent.value}, {QLatin1StringView("byRestart"), lost.byRestart}, {QLatin1StringView("asked"), lost.asked}};
    messagejson::putError(object, lost.error);
    return messagejson::text(object);
}

Result<AgentLost> decodeAgentLost(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("agent")});
    if (!read)
        return read.error();
    return AgentLost{AgentId(read->value(QLatin1StringView("agent")).toString()), read->value(QLatin1StringView("byRestart")).toBool(),
        read->value(QLatin1StringView("asked")).toBool(), messagejson::optionalError(*read)};
}

} // namespace foundry::backend
