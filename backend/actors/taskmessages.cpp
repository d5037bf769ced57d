#include "backend/actors/taskmessages.h"

#include "backend/actors/messagejson.h"

namespace foundry::backend {

QByteArray encodeCreation(const TaskCreation &creation)
{
    QJsonObject object{{QLatin1StringView("organization"), creation.organization.value}, {QLatin1StringView("repo"), creation.repo.value},
        {QLatin1StringView("repositoryPath"), creation.repositoryPath}, {QLatin1StringView("task"), creation.task.value},
        {QLatin1StringView("session"), creation.session.value}, {QLatin1StringView("title"), creation.title}, {QLatin1StringView("branch"), creation.branch},
        {QLatin1StringView("adopt"), creation.adopt}, {QLatin1StringView("agent"), creation.agent.value}, {QLatin1StringView("sessionName"), creation.sessionName},
        {QLatin1StringView("provider"), creation.provider}, {QLatin1StringView("attachments"), messagejson::attachmentsArray(creation.attachments)},
        {QLatin1StringView("owner"), creation.owner}, {QLatin1StringView("requestId"), creation.requestId.value}, {QLatin1StringView("createdAt"), creation.createdAt}};
    messagejson::putText(object, QLatin1StringView("baseBranch"), creation.baseBranch);
    messagejson::putText(object, QLatin1StringView("model"), creation.model);
    messagejson::putText(object, QLatin1StringView("mode"), creation.mode);
    if (creation.prompt)
        object.insert(QLatin1StringView("prompt"), messagejson::promptObject(*creation.prompt));
    return messagejson::text(object);
}

Result<TaskCreation> decodeCreation(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("organization"), QLatin1StringView("repo"), QLatin1StringView("task"), QLatin1StringView("session"), QLatin1StringView("branch")});
    if (!read)
        return read.error();
    const QJsonObject &object = *read;
    TaskCreation creation;
    creation.organization.value = object.value(QLatin1StringView("organization")).toString();
    creation.repo.value = object.value(QLatin1StringView("repo")).toString();
    creation.repositoryPath = object.value(QLatin1StringView("repositoryPath")).toString();
    creation.task.value = object.value(QLatin1StringView("task")).toString();
    creation.session.value = object.value(QLatin1StringView("session")).toString();
    creation.title = object.value(QLatin1StringView("title")).toString();
    creation.branch = object.value(QLatin1StringView("branch")).toString();
    creation.adopt = object.value(QLatin1StringView("adopt")).toBool();
    creation.baseBranch = object.value(QLatin1StringView("baseBranch")).toString();
    creation.agent.value = object.value(QLatin1StringView("agent")).toString();
    creation.sessionName = object.value(QLatin1StringView("sessionName")).toString();
    creation.model = messagejson::optionalText(object, QLatin1StringView("model"));
    creation.mode = messagejson::optionalText(object, QLatin1StringView("mode"));
    creation.provider = object.value(QLatin1StringView("provider")).toString();
    if (object.contains(QLatin1StringView("prompt")))
        creation.prompt = messagejson::promptFrom(object.value(QLatin1StringView("prompt")).toObject());
    creation.attachments = messagejson::attachmentsFrom(object.value(QLatin1StringView("attachments")).toArray());
    creation.owner = object.value(QLatin1StringView("owner")).toString();
    creation.requestId.value = object.value(QLatin1StringView("requestId")).toString();
    creation.createdAt = object.value(QLatin1StringView("createdAt")).toInteger();
    return creation;
}

QByteArray encodeSummary(const SummaryPush &push)
{
    return messagejson::text({{QLatin1StringView("sourceRevision"), push.sourceRevision}, {QLatin1StringView("id"), push.summary.id.value},
        {QLatin1StringView("lifecycle"), push.lifecycle}, {QLatin1StringView("summary"), messagejson::entityObject(push.summary)}});
}

Result<SummaryPush> decodeSummary(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("sourceRevision"), QLatin1StringView("id"), QLatin1StringView("summary")});
    if (!read)
        return read.error();
    auto summary = messagejson::entityFrom<TaskSummary>(
        read->value(QLatin1StringView("summary")).toObject(), QLatin1StringView("TaskSummary"), read->value(QLatin1StringView("id")).toString());
    if (!summary)
        return summary.error();
    return SummaryPush{read->value(QLatin1StringView("sourceRevision")).toInteger(), *summary, read->value(QLatin1StringView("lifecycle")).toInteger()};
}

QByteArray encodeTaskTold(const TaskTold &told)
{
    return messagejson::text({{QLatin1StringView("creation"), QJsonDocument::fromJson(encodeCreation(told.creation)).object()},
        {QLatin1StringView("lifecycle"), told.lifecycle}, {QLatin1StringView("job"), told.job}, {QLatin1StringView("jobKind"), told.jobKind}});
}

Result<TaskTold> decodeTaskTold(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("creation")});
    if (!read)
        return read.error();
    auto creation = decodeCreation(messagejson::text(read->value(QLatin1StringView("creation")).toObject()));
    if (!creation)
        return creation.error();
    return TaskTold{*creation, read->value(QLatin1StringView("lifecycle")).toInteger(), read->value(QLatin1StringView("job")).toString(),
        read->value(QLatin1StringView("jobKind")).toString()};
}

QByteArray encodeAttention(const AttentionPush &push)
{
    QJsonObject object{{QLatin1StringView("sourceRevision"), push.sourceRevision}, {QLatin1StringView("id"), push.id}};
    if (push.attention)
        object.insert(QLatin1StringView("attention"), messagejson::entityObject(*push.attention));
    return messagejson::text(object);
}

Result<AttentionPush> decodeAttention(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("sourceRevision"), QLatin1StringView("id")});
    if (!read)
        return read.error();
    AttentionPush push{read->value(QLatin1StringView("sourceRevision")).toInteger(), read->value(QLatin1StringView("id")).toString()};
    if (read->contains(QLatin1StringView("attention"))) {
        auto attention = messagejson::entityFrom<Attention>(read->value(QLatin1StringView("attention")).toObject(), QLatin1StringView("Attention"), push.id);
        if (!attention)
            return attention.error();
        push.attention = *attention;
    }
    return push;
}

QByteArray encodeResolveAgent(const ResolveAgent &ask)
{
    return messagejson::text({{QLatin1StringView("agent"), ask.agent.value}, {QLatin1StringView("stage"), ask.stage}, {QLatin1StringView("attempt"), ask.attempt}});
}

Result<ResolveAgent> decodeResolveAgent(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("agent"), QLatin1StringView("stage"), QLatin1StringView("attempt")});
    if (!read)
        return read.error();
    return ResolveAgent{AgentId(read->value(QLatin1StringView("agent")).toString()), read->value(QLatin1StringView("stage")).toString(),
        read->value(QLatin1StringView("attempt")).toInteger()};
}

QByteArray encodeLaunch(const AgentLaunch &launch)
{
    QJsonObject object{{QLatin1StringView("agent"), launch.agent.value}, {QLatin1StringView("name"), launch.name}, {QLatin1StringView("program"), launch.program},
        {QLatin1StringView("args"), QJsonArray::fromStringList(launch.args)}, {QLatin1StringView("custom"), launch.custom}};
    messagejson::putText(object, QLatin1StringView("nodeProgram"), launch.nodeProgram);
    messagejson::putText(object, QLatin1StringView("loginHint"), launch.loginHint);
    messagejson::putText(object, QLatin1StringView("askingMode"), launch.askingMode);
    return messagejson::text(object);
}

AgentLaunch decodeLaunch(const QByteArray &json)
{
    const QJsonObject object = QJsonDocument::fromJson(json).object();
    AgentLaunch launch;
    launch.agent.value = object.value(QLatin1StringView("agent")).toString();
    launch.name = object.value(QLatin1StringView("name")).toString();
    launch.program = object.value(QLatin1StringView("program")).toString();
    const QJsonArray args = object.value(QLatin1StringView("args")).toArray();
    for (const auto &arg : args)
        launch.args.append(arg.toString());
    launch.nodeProgram = object.value(QLatin1StringView("nodeProgram")).toString();
    launch.loginHint = object.value(QLatin1StringView("loginHint")).toString();
    launch.askingMode = object.value(QLatin1StringView("askingMode")).toString();
    launch.custom = object.value(QLatin1StringView("custom")).toBool();
    return launch;
}

QByteArray encodeAgentResolved(const AgentResolved &answer)
{
    QJsonObject object{{QLatin1StringView("stage"), answer.stage}, {QLatin1StringView("attempt"), answer.attempt}};
    if (answer.launch)
        object.insert(QLatin1StringView("launch"), QJsonDocument::fromJson(encodeLaunch(*answer.launch)).object());
    messagejson::putError(object, answer.error);
    return messagejson::text(object);
}

Result<AgentResolved> decodeAgentResolved(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("stage"), QLatin1StringView("attempt")});
    if (!read)
        return read.error();
    AgentResolved answer{read->value(QLatin1StringView("stage")).toString(), read->value(QLatin1StringView("attempt")).toInteger()};
    if (read->contains(QLatin1StringView("launch")))
        answer.launch = decodeLaunch(messagejson::text(read->value(QLatin1StringView("launch")).toObject()));
    answer.error = messagejson::optionalError(*read);
    return answer;
}

QByteArray encodeAgentReport(const AgentReport &report)
{
    QJsonObject object{{QLatin1StringView("agent"), report.agent.value}, {QLatin1StringView("detail"), report.detail}};
    if (report.state)
        object.insert(QLatin1StringView("state"), OpenEnum<AgentState>(*report.state).text());
    if (report.options) {
        Agent carrier; // the codec knows options as a part of an agent
        carrier.lastOptions = report.options;
        object.insert(QLatin1StringView("options"), messagejson::entityObject(carrier));
    }
    return messagejson::text(object);
}

Result<AgentReport> decodeAgentReport(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("agent")});
    if (!read)
        return read.error();
    AgentReport report;
    report.agent.value = read->value(QLatin1StringView("agent")).toString();
    report.detail = read->value(QLatin1StringView("detail")).toString();
    if (const auto state = messagejson::optionalText(*read, QLatin1StringView("state")))
        report.state = OpenEnum<AgentState>::fromText(*state).valueOr(AgentState::Broken);
    if (read->contains(QLatin1StringView("options"))) {
        auto carrier = messagejson::entityFrom<Agent>(read->value(QLatin1StringView("options")).toObject(), QLatin1StringView("Agent"), report.agent.value);
        if (carrier)
            report.options = carrier->lastOptions;
    }
    return report;
}

QByteArray encodeTrustQuestion(const TrustQuestion &question)
{
    return messagejson::text({{QStringLiteral("repo"), question.repo.value}, {QStringLiteral("job"), question.job},
        {QStringLiteral("step"), question.step}, {QStringLiteral("attempt"), question.attempt}, {QStringLiteral("version"), question.version}});
}

Result<TrustQuestion> decodeTrustQuestion(const QByteArray &json)
{
    auto object = messagejson::object(json, {QLatin1StringView("repo"), QLatin1StringView("job"), QLatin1StringView("step")});
    if (!object)
        return object.error();
    return TrustQuestion{RepoId(object->value(QLatin1StringView("repo")).toString()), object->value(QLatin1StringView("job")).toString(),
        object->value(QLatin1StringView("step")).toString(), object->value(QLatin1StringView("attempt")).toInteger(1),
        object->value(QLatin1StringView("version")).toString()};
}

} // namespace foundry::backend
