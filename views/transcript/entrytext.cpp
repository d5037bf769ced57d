#include "views/transcript/entrytext.h"

#include "views/common/minuteclock.h"
#include "views/transcript/markdownblocks.h"

#include <QCoreApplication>
#include <QLocale>

namespace foundry::views {

namespace {

class EntryText {
    Q_DECLARE_TR_FUNCTIONS(EntryText)
};

constexpr qsizetype accessibleLength = 400; // characters of an entry that its accessible name carries

} // namespace

QString countText(qint64 count)
{
    if (count < 1000)
        return QLocale().toString(count);
    if (count < 1'000'000)
        return EntryText::tr("%1k").arg(QLocale().toString(double(count) / 1000.0, 'f', count < 100'000 ? 1 : 0));
    return EntryText::tr("%1M").arg(QLocale().toString(double(count) / 1'000'000.0, 'f', 1));
}

QString fileSizeText(qint64 bytes)
{
    return QLocale().formattedDataSize(bytes, bytes < 1024 ? 0 : 1, QLocale::DataSizeTraditionalFormat);
}

QString toolStatusText(const QString &status)
{
    if (status == QLatin1StringView("pending"))
        return EntryText::tr("Waiting");
    if (status == QLatin1StringView("in_progress"))
        return EntryText::tr("Running");
    if (status == QLatin1StringView("completed"))
        return EntryText::tr("Done");
    if (status == QLatin1StringView("failed"))
        return EntryText::tr("Failed");
    if (status == QLatin1StringView("cancelled"))
        return EntryText::tr("Stopped");
    return status;
}

QString toolKindText(const QString &kind)
{
    if (kind == QLatin1StringView("read"))
        return EntryText::tr("Read");
    if (kind == QLatin1StringView("edit"))
        return EntryText::tr("Edit");
    if (kind == QLatin1StringView("delete"))
        return EntryText::tr("Delete");
    if (kind == QLatin1StringView("move"))
        return EntryText::tr("Move");
    if (kind == QLatin1StringView("search"))
        return EntryText::tr("Search");
    if (kind == QLatin1StringView("execute"))
        return EntryText::tr("Run");
    if (kind == QLatin1StringView("think"))
        return EntryText::tr("Think");
    if (kind == QLatin1StringView("fetch"))
        return EntryText::tr("Fetch");
    if (kind == QLatin1StringView("switch_mode"))
        return EntryText::tr("Switch mode");
    return EntryText::tr("Tool");
}

QString turnEndText(const TurnEnd &end)
{
    const QString took = durationText(end.durationMs);
    QString text;
    if (end.stopReason == QLatin1StringView("end_turn"))
        text = EntryText::tr("Turn took %1").arg(took);
    else if (end.stopReason == QLatin1StringView("cancelled"))
        text = EntryText::tr("Stopped after %1").arg(took);
    else if (end.stopReason == QLatin1StringView("interrupted"))
        text = EntryText::tr("Interrupted after %1").arg(took);
    else if (end.stopReason == QLatin1StringView("refusal"))
        text = EntryText::tr("The agent declined after %1").arg(took);
    else if (end.stopReason == QLatin1StringView("max_tokens"))
        text = EntryText::tr("Ended at the token limit after %1").arg(took);
    else if (end.stopReason == QLatin1StringView("max_turn_requests"))
        text = EntryText::tr("Ended at the limit of requests after %1").arg(took);
    else if (end.stopReason == QLatin1StringView("error"))
        text = EntryText::tr("Failed after %1").arg(took);
    else
        text = EntryText::tr("%1 after %2").arg(end.stopReason, took);
    if (end.usage) {
        const qint64 tokens = end.usage->inputTokens.value_or(0) + end.usage->outputTokens.value_or(0);
        if (tokens > 0)
            text += EntryText::tr(" · %1 tokens").arg(countText(tokens));
        if (end.usage->costUsd)
            text += QStringLiteral(" · $%1").arg(*end.usage->costUsd, 0, 'f', 2);
    }
    return text;
}

QString permissionAnswerText(const PermissionAsk &ask)
{
    if (!ask.answer)
        return {};
    for (const PermissionOption &option : ask.options) {
        if (option.id == *ask.answer) {
            return option.kind.startsWith(QLatin1StringView("allow")) ? EntryText::tr("Allowed: %1").arg(option.name)
                                                                      : EntryText::tr("Rejected: %1").arg(option.name);
        }
    }
    return *ask.answer == QLatin1StringView("cancelled") ? EntryText::tr("Cancelled with the turn")
                                                         : EntryText::tr("Answered: %1").arg(*ask.answer);
}

QString entrySpeaker(const TranscriptEntry &entry)
{
    if (!entry.kind.isKnown())
        return entry.kind.text();
    switch (entry.kind.valueOr(EntryKind::Notice)) {
    case EntryKind::UserMessage:
        return EntryText::tr("You");
    case EntryKind::AgentMessage:
        return EntryText::tr("Agent");
    case EntryKind::AgentThought:
        return EntryText::tr("Thought");
    case EntryKind::ToolCall:
        return entry.tool ? EntryText::tr("Tool call, %1, %2").arg(toolKindText(entry.tool->kind),
                                toolStatusText(entry.tool->status))
                          : EntryText::tr("Tool call");
    case EntryKind::Plan:
        return EntryText::tr("Plan");
    case EntryKind::Permission:
        return entry.permission && entry.permission->answer ? EntryText::tr("Permission, answered")
                                                            : EntryText::tr("Permission asked, waiting for you");
    case EntryKind::Question:
        return EntryText::tr("Question");
    case EntryKind::TurnEnd:
        return EntryText::tr("End of turn");
    case EntryKind::Notice:
        return EntryText::tr("Notice");
    case EntryKind::Error:
        return EntryText::tr("Error");
    }
    return {};
}

QString entryPlainText(const TranscriptEntry &entry)
{
    if (entry.kind.is(EntryKind::UserMessage))
        return entry.text;
    if (entry.tool) {
        QStringList parts{entry.tool->title};
        for (const ToolContent &content : entry.tool->content) {
            if (const auto *text = std::get_if<ToolText>(&content))
                parts.append(text->text.shown());
            else if (const auto *diff = std::get_if<ToolDiff>(&content))
                parts.append(diff->path);
        }
        return parts.join(QLatin1Char('\n'));
    }
    if (!entry.plan.isEmpty()) {
        QStringList lines;
        for (const PlanEntry &step : entry.plan) {
            lines.append((step.status == QLatin1StringView("completed") ? QStringLiteral("[x] ") : QStringLiteral("[ ] "))
                + step.content);
        }
        return lines.join(QLatin1Char('\n'));
    }
    if (entry.permission)
        return entry.permission->title + QLatin1Char('\n') + permissionAnswerText(*entry.permission);
    if (entry.turnEnd)
        return turnEndText(*entry.turnEnd);
    if (entry.error)
        return QStringList{entry.error->message, entry.error->action}.join(QLatin1Char('\n')).trimmed();
    return plainText(parseMarkdown(entry.text));
}

QString entryMarkdown(const TranscriptEntry &entry)
{
    return entry.text.isEmpty() ? entryPlainText(entry) : entry.text;
}

QString entryAccessibleName(const TranscriptEntry &entry)
{
    QString text = entryPlainText(entry).simplified();
    if (text.size() > accessibleLength)
        text = text.left(accessibleLength) + QChar(0x2026);
    return EntryText::tr("%1: %2").arg(entrySpeaker(entry), text);
}

} // namespace foundry::views
