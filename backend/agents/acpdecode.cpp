#include "backend/agents/acpdecode.h"

#include "realtime/protocol/messagelimits.h"

#include <QCoreApplication>

namespace foundry::backend::acpdecode {

namespace {

QString decodeString(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1StringView(key)).toString();
}

QJsonObject decodeObject(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1StringView(key)).toObject();
}

QJsonArray decodeArray(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1StringView(key)).toArray();
}

// A list of an agent stands in rows that must fit into a message together with others.
constexpr qsizetype decodeListBytes = 80 * 1024;
constexpr qsizetype decodeLabelLimit = 4096; // characters
constexpr qsizetype decodeDescriptionLimit = 1024;

qsizetype decodeChoiceBytes(const AgentChoice &choice)
{
    return protocol::jsonTextSize(choice.id) + protocol::jsonTextSize(choice.name) + protocol::jsonTextSize(choice.description) + 40;
}

// What is beyond is left out from the end: agents name what is used most first.
void decodeBound(QList<AgentChoice> &choices)
{
    qsizetype bytes = 0;
    for (qsizetype n = 0; n < choices.size(); ++n) {
        choices[n].description = choices.at(n).description.left(decodeDescriptionLimit);
        bytes += decodeChoiceBytes(choices.at(n));
        if (bytes > decodeListBytes)
            choices.resize(n);
    }
}

QList<AgentChoice> decodeChoices(const QJsonArray &array, const char *idKey)
{
    QList<AgentChoice> choices;
    for (const auto &item : array) {
        const QJsonObject object = item.toObject();
        if (const QJsonArray group = decodeArray(object, "options"); !group.isEmpty()) {
            choices += decodeChoices(group, idKey);
            continue;
        }
        const QString id = decodeString(object, idKey);
        const QString name = decodeString(object, "name");
        choices.append({id, name.isEmpty() ? id : name, decodeString(object, "description")});
    }
    decodeBound(choices);
    return choices;
}

std::optional<qint64> decodeCount(const QJsonObject &object, const char *key)
{
    const QJsonValue value = object.value(QLatin1StringView(key));
    return value.isDouble() ? std::optional<qint64>(value.toInteger()) : std::nullopt;
}

QString decodeCodeSpan(const QString &text)
{
    QString safe = text;
    return QLatin1Char('`') + safe.replace(QLatin1Char('`'), QLatin1Char('\'')) + QLatin1Char('`');
}

} // namespace

QString capped(const QString &text)
{
    if (text.size() <= maxTextBytes)
        return text;
    return text.left(maxTextBytes) + QCoreApplication::translate("AcpDecode", "\n… (%1 more characters were left out)")
                                         .arg(text.size() - maxTextBytes);
}

QString oneLine(const QString &text)
{
    const QString shown = text.size() > decodeLabelLimit ? text.left(decodeLabelLimit) + QStringLiteral("…") : text;
    return shown.trimmed().replace(QLatin1Char('\n'), QStringLiteral(" ⏎ "));
}

QString blockText(const QJsonObject &block)
{
    const QString type = decodeString(block, "type");
    if (type == QLatin1StringView("text"))
        return capped(decodeString(block, "text"));
    if (type == QLatin1StringView("resource")) {
        const QJsonObject resource = decodeObject(block, "resource");
        const QString text = decodeString(resource, "text");
        return text.isEmpty() ? decodeCodeSpan(decodeString(resource, "uri")) : capped(text);
    }
    if (type == QLatin1StringView("resource_link")) {
        const QString name = decodeString(block, "name");
        return decodeCodeSpan(name.isEmpty() ? decodeString(block, "uri") : name);
    }
    // Images and audio are not stored yet: say that something was there.
    return QStringLiteral("[%1 %2]").arg(type, decodeString(block, "mimeType")).simplified();
}

QList<PlanEntry> plan(const QJsonArray &entries)
{
    QList<PlanEntry> plan;
    qsizetype bytes = 0;
    for (const auto &item : entries) {
        const QJsonObject entry = item.toObject();
        plan.append({decodeString(entry, "content").left(decodeLabelLimit), decodeString(entry, "priority").left(100),
            decodeString(entry, "status").left(100)});
        bytes += protocol::jsonTextSize(plan.last().content) + 300;
        if (bytes > 4 * decodeListBytes)
            break;
    }
    return plan;
}

QList<AgentChoice> commands(const QJsonArray &array)
{
    QList<AgentChoice> commands;
    for (const auto &item : array) {
        const QJsonObject command = item.toObject();
        const QString name = decodeString(command, "name");
        const QString hint = decodeString(decodeObject(command, "input"), "hint");
        commands.append({name, hint.isEmpty() ? name : name + QLatin1Char(' ') + hint, decodeString(command, "description")});
    }
    decodeBound(commands);
    return commands;
}

QList<SessionOption> configOptions(const QJsonArray &array)
{
    QList<SessionOption> options;
    qsizetype bytes = 0;
    for (const auto &item : array) {
        const QJsonObject object = item.toObject();
        SessionOption option{decodeString(object, "id"), decodeString(object, "name"), decodeString(object, "category"), {}, {}};
        if (option.id.isEmpty())
            continue;
        const QJsonValue current = object.value(QLatin1StringView("currentValue"));
        if (current.isBool()) {
            option.currentValue = current.toBool() ? QStringLiteral("true") : QStringLiteral("false");
            option.values = {{QStringLiteral("true"), QCoreApplication::translate("AcpDecode", "On"), {}},
                {QStringLiteral("false"), QCoreApplication::translate("AcpDecode", "Off"), {}}};
        } else {
            option.currentValue = current.toString();
            option.values = decodeChoices(decodeArray(object, "options"), "value");
        }
        for (const AgentChoice &value : std::as_const(option.values))
            bytes += decodeChoiceBytes(value);
        bytes += protocol::jsonTextSize(option.id) + protocol::jsonTextSize(option.name) + protocol::jsonTextSize(option.currentValue) + 120;
        if (bytes > 2 * decodeListBytes)
            break;
        options.append(option);
    }
    return options;
}

AcpSession session(const QString &sessionId, const QJsonObject &result)
{
    AcpSession session;
    session.sessionId = sessionId;
    const QJsonObject modes = decodeObject(result, "modes");
    session.modes = decodeChoices(decodeArray(modes, "availableModes"), "id");
    session.currentMode = decodeString(modes, "currentModeId");
    const QJsonObject models = decodeObject(result, "models");
    session.models = decodeChoices(decodeArray(models, "availableModels"), "modelId");
    session.currentModel = decodeString(models, "currentModelId");
    session.options = configOptions(decodeArray(result, "configOptions"));
    for (const SessionOption &option : session.options) {
        if (option.category == QLatin1StringView("mode") && session.modes.isEmpty()) {
            session.modes = option.values;
            session.currentMode = option.currentValue;
        } else if (option.category == QLatin1StringView("model") && session.models.isEmpty()) {
            session.models = option.values;
            session.currentModel = option.currentValue;
        }
    }
    return session;
}

AcpAgentInfo agentInfo(const QJsonObject &result)
{
    AcpAgentInfo info;
    const QJsonObject implementation = decodeObject(result, "agentInfo");
    info.name = decodeString(implementation, "name");
    info.title = decodeString(implementation, "title");
    info.version = decodeString(implementation, "version");
    const QJsonObject capabilities = decodeObject(result, "agentCapabilities");
    info.canLoad = capabilities.value(QLatin1StringView("loadSession")).toBool();
    const QJsonObject sessions = decodeObject(capabilities, "sessionCapabilities");
    info.canResume = sessions.value(QLatin1StringView("resume")).isObject();
    info.canList = sessions.value(QLatin1StringView("list")).isObject();
    info.canClose = sessions.value(QLatin1StringView("close")).isObject();
    const QJsonObject prompt = decodeObject(capabilities, "promptCapabilities");
    info.takesImages = prompt.value(QLatin1StringView("image")).toBool();
    info.takesEmbeddedContext = prompt.value(QLatin1StringView("embeddedContext")).toBool();
    const QJsonArray methods = decodeArray(result, "authMethods");
    for (const auto &item : methods) {
        const QJsonObject object = item.toObject();
        AcpAuthMethod method{decodeString(object, "id"), decodeString(object, "name"), decodeString(object, "description"),
            decodeString(object, "type") == QLatin1StringView("terminal"), {}};
        const QJsonArray args = decodeArray(object, "args");
        for (const auto &arg : args)
            method.args.append(arg.toString());
        info.authMethods.append(method);
    }
    return info;
}

Usage usage(const QJsonObject &fields)
{
    Usage usage;
    usage.contextUsed = decodeCount(fields, "used");
    usage.contextSize = decodeCount(fields, "size");
    usage.inputTokens = decodeCount(fields, "inputTokens");
    usage.outputTokens = decodeCount(fields, "outputTokens");
    const QJsonObject cost = decodeObject(fields, "cost");
    if (decodeString(cost, "currency") == QLatin1StringView("USD"))
        usage.costUsd = cost.value(QLatin1StringView("amount")).toDouble();
    return usage;
}

PermissionAsk permission(const QString &requestId, const QJsonObject &params)
{
    PermissionAsk ask;
    ask.requestId = requestId;
    const QJsonObject call = decodeObject(params, "toolCall");
    ask.toolCallId = decodeString(call, "toolCallId");
    ask.title = oneLine(decodeString(params, "title")); // else the row's own
    qsizetype bytes = 0;
    const QJsonArray options = decodeArray(params, "options");
    for (const auto &item : options) {
        const QJsonObject option = item.toObject();
        const QString id = decodeString(option, "optionId");
        const QString name = decodeString(option, "name");
        ask.options.append({id, name.isEmpty() ? id : name, decodeString(option, "kind")});
        bytes += protocol::jsonTextSize(ask.options.last().id) + protocol::jsonTextSize(ask.options.last().name) + 100;
        if (bytes > decodeListBytes) { // more than anybody reads
            ask.options.removeLast();
            break;
        }
    }
    return ask;
}

AcpUpdate update(const QString &kind, const QJsonObject &update)
{
    const QJsonObject content = decodeObject(update, "content");
    if (kind == QLatin1StringView("agent_message_chunk"))
        return AgentChunk{blockText(content)};
    if (kind == QLatin1StringView("agent_thought_chunk"))
        return ThoughtChunk{blockText(content)};
    if (kind == QLatin1StringView("user_message_chunk"))
        return UserChunk{blockText(content)};
    if (kind == QLatin1StringView("plan"))
        return PlanUpdate{plan(decodeArray(update, "entries"))};
    if (kind == QLatin1StringView("available_commands_update"))
        return CommandsUpdate{commands(decodeArray(update, "availableCommands"))};
    if (kind == QLatin1StringView("current_mode_update"))
        return ModeUpdate{decodeString(update, "currentModeId")};
    if (kind == QLatin1StringView("config_option_update"))
        return ConfigOptions{configOptions(decodeArray(update, "configOptions"))};
    if (kind == QLatin1StringView("usage_update"))
        return UsageUpdate{usage(update)};
    if (kind == QLatin1StringView("session_info_update") && !decodeString(update, "title").isEmpty())
        return TitleUpdate{decodeString(update, "title")};
    if (kind == QLatin1StringView("notice")) {
        const QString description = decodeString(update, "description");
        const QString title = decodeString(update, "title");
        return AgentNotice{decodeString(update, "severity"),
            description.isEmpty() ? title : title + QStringLiteral("\n\n") + description};
    }
    return UnknownUpdate{kind};
}

} // namespace foundry::backend::acpdecode
