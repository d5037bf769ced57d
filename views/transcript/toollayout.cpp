// How tool calls, permission requests and plans look in the transcript.
#include "views/common/minuteclock.h"
#include "views/transcript/entrybuilder.h"
#include "views/transcript/entrytext.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace foundry::views {

namespace {

class ToolLayoutText {
    Q_DECLARE_TR_FUNCTIONS(ToolLayout)
};

constexpr qreal toolRow = 30;
constexpr qreal toolIndent = 26;

Icon toolIcon(const QString &kind)
{
    if (kind == QLatin1StringView("read"))
        return Icon::FileText;
    if (kind == QLatin1StringView("edit"))
        return Icon::Pencil;
    if (kind == QLatin1StringView("delete"))
        return Icon::Trash;
    if (kind == QLatin1StringView("move"))
        return Icon::Move;
    if (kind == QLatin1StringView("search"))
        return Icon::Search;
    if (kind == QLatin1StringView("execute"))
        return Icon::Terminal;
    if (kind == QLatin1StringView("think"))
        return Icon::Brain;
    if (kind == QLatin1StringView("fetch"))
        return Icon::Globe;
    if (kind == QLatin1StringView("switch_mode"))
        return Icon::Sliders;
    return Icon::Wrench;
}

bool toolHasDiff(const ToolCall &tool)
{
    return std::any_of(tool.content.begin(), tool.content.end(),
        [](const ToolContent &content) { return std::holds_alternative<ToolDiff>(content); });
}

bool toolHasBody(const ToolCall &tool)
{
    return !tool.content.isEmpty() || tool.rawInput || tool.rawOutput || tool.locations.size() > 1;
}

// The state at the right end of a tool's row: a glyph, and a word or the duration.
void layOutToolState(EntryBuilder &b, const ToolCall &tool, qreal top, qreal right)
{
    const Colors &c = b.colors;
    Icon glyph = Icon::CircleDashed;
    QColor color = c.textFaint;
    QString word;
    if (tool.status == QLatin1StringView("completed")) {
        glyph = Icon::Check;
        color = c.green;
        if (tool.startedAt && tool.endedAt)
            word = durationText(*tool.endedAt - *tool.startedAt);
    } else if (tool.status == QLatin1StringView("failed")) {
        glyph = Icon::CircleX;
        color = c.red;
        word = ToolLayoutText::tr("Failed");
        if (tool.startedAt && tool.endedAt)
            word = ToolLayoutText::tr("Failed after %1").arg(durationText(*tool.endedAt - *tool.startedAt));
    } else if (tool.status == QLatin1StringView("in_progress")) {
        glyph = Icon::Loader;
        color = c.accentText;
        word = ToolLayoutText::tr("Running");
    } else if (tool.status == QLatin1StringView("cancelled")) {
        glyph = Icon::CircleStop;
        word = ToolLayoutText::tr("Stopped");
        if (tool.startedAt && tool.endedAt)
            word = ToolLayoutText::tr("Stopped after %1").arg(durationText(*tool.endedAt - *tool.startedAt));
    } else {
        glyph = tool.status == QLatin1StringView("pending") ? Icon::CircleDashed : Icon::Circle;
        word = toolStatusText(tool.status);
    }
    b.icon(glyph, right - 16, top + 7, color);
    if (word.isEmpty())
        return;
    const qreal width = std::ceil(b.textWidth(TextStyle::Small, word)) + 1;
    const qreal keep = b.y;
    b.y = top + 6;
    b.text({.text = word, .style = TextStyle::Small, .color = color == c.red || color == c.accentText ? color : c.textFaint, .x = right - 22 - width, .width = width + 1, .maxLines = 1, .selectable = false});
    b.y = keep;
}

void layOutToolBody(EntryBuilder &b, const ToolCall &tool)
{
    const qreal x = toolIndent;
    const qreal width = b.style.width - toolIndent;
    int part = 0;
    const QString path = tool.locations.isEmpty() ? QString() : tool.locations.first().path;
    for (const ToolContent &content : tool.content) {
        const QString name = QStringLiteral("content%1").arg(part++);
        if (const auto *text = std::get_if<ToolText>(&content); text && text->text.shown().trimmed().isEmpty())
            continue;
        b.y += 6;
        if (const auto *text = std::get_if<ToolText>(&content)) {
            const bool source = tool.kind == QLatin1StringView("read") && !path.isEmpty();
            b.output(text->text, x, width, name, source ? path : QString(), {});
        } else if (const auto *diff = std::get_if<ToolDiff>(&content)) {
            layOutToolDiff(b, *diff, x, width, name);
        } else if (const auto *terminal = std::get_if<ToolTerminal>(&content)) {
            b.icon(Icon::Terminal, x, b.y + 1, b.colors.textFaint);
            b.text({.text = ToolLayoutText::tr("Runs in a terminal of its own (process %1)").arg(terminal->processId.value), .style = TextStyle::Small, .color = b.colors.textMuted, .x = x + 24, .width = width - 24});
        } else if (const auto *image = std::get_if<ToolImage>(&content)) {
            b.icon(Icon::Image, x, b.y + 1, b.colors.textFaint);
            b.text({.text = ToolLayoutText::tr("Image, %1, %2").arg(image->image.mime, fileSizeText(image->image.size)), .style = TextStyle::Small, .color = b.colors.textMuted, .x = x + 24, .width = width - 24});
        }
    }
    if (tool.locations.size() > 1) {
        QStringList places;
        for (const ToolLocation &location : tool.locations)
            places.append(location.line ? QStringLiteral("%1:%2").arg(location.path).arg(*location.line) : location.path);
        b.y += 6;
        b.output({b.shortPaths(places.join(QLatin1Char('\n')))}, x, width, QStringLiteral("places"), {}, ToolLayoutText::tr("Files"));
    }
    // What went in and came out, as the agent wrote it: behind one more fold when there is something better to read.
    if (!tool.rawInput && !tool.rawOutput)
        return;
    const bool open = tool.content.isEmpty() || b.unfolded(QStringLiteral("raw"), false);
    if (!tool.content.isEmpty()) {
        b.y += 4;
        b.button(x - 8, HotKind::Fold, HotLook::Ghost, QStringLiteral("raw"),
            open ? ToolLayoutText::tr("Hide input and output") : ToolLayoutText::tr("Input and output"),
            open ? Icon::ChevronDown : Icon::ChevronRight);
        b.y += EntryBuilder::buttonHeight;
    }
    if (!open)
        return;
    if (tool.rawInput) {
        b.y += 6;
        b.output(*tool.rawInput, x, width, QStringLiteral("in"), QStringLiteral("json"), ToolLayoutText::tr("Input"));
    }
    if (tool.rawOutput) {
        b.y += 8;
        b.output(*tool.rawOutput, x, width, QStringLiteral("out"), QStringLiteral("json"), ToolLayoutText::tr("Output"));
    }
}

} // namespace

void layOutTool(EntryBuilder &b)
{
    const ToolCall tool = b.entry.tool.value_or(ToolCall{});
    const bool body = toolHasBody(tool);
    const bool open = body
        && b.unfolded(QStringLiteral("tool"), toolHasDiff(tool) || tool.status == QLatin1StringView("failed"));
    const qreal top = b.y;
    QString title = tool.title.isEmpty() ? toolKindText(tool.kind) : tool.title;
    title = b.shortPaths(title.section(QLatin1Char('\n'), 0, 0)).remove(QLatin1Char('`'));

    if (body) {
        HotArea &row = b.hot(QRectF(-8, top, b.style.width + 16, toolRow), HotKind::Fold, QStringLiteral("tool"),
            ToolLayoutText::tr("%1, %2, %3").arg(title, toolStatusText(tool.status), open ? ToolLayoutText::tr("unfolded") : ToolLayoutText::tr("folded")));
        row.look = HotLook::Row;
        b.icon(open ? Icon::ChevronDown : Icon::ChevronRight, b.style.width - 16, top + 7, b.colors.textFaint);
    }
    b.icon(toolIcon(tool.kind), 0, top + 7, b.colors.textFaint);
    layOutToolState(b, tool, top, b.style.width - 22.0);
    b.y = top + 5;
    const bool command = tool.kind == QLatin1StringView("execute");
    b.text({.text = title, .style = command ? TextStyle::MonoSmall : TextStyle::List, .color = b.colors.textMuted, .x = toolIndent, .width = b.style.width - 190.0, .lineHeight = 20, .maxLines = 1});
    b.y = top + toolRow;
    if (open) {
        layOutToolBody(b, tool);
        b.y += 10;
    }
}

void layOutPermission(EntryBuilder &b)
{
    const PermissionAsk ask = b.entry.permission.value_or(PermissionAsk{});
    QString title = ask.title.isEmpty() ? b.entry.text : ask.title;
    title = b.shortPaths(title).remove(QLatin1Char('`'));
    if (ask.answer) {
        const bool allowed = std::any_of(ask.options.begin(), ask.options.end(), [&](const PermissionOption &option) {
            return option.id == *ask.answer && option.kind.startsWith(QLatin1StringView("allow"));
        });
        b.icon(allowed ? Icon::ShieldCheck : Icon::Slash, 0, b.y + 2, b.colors.textFaint);
        b.text({.text = ToolLayoutText::tr("%1 · %2").arg(permissionAnswerText(ask), title), .style = TextStyle::List, .color = b.colors.textFaint, .x = toolIndent, .width = b.style.width - toolIndent, .maxLines = 1});
        b.y += 4;
        return;
    }
    const qreal top = b.y;
    const qsizetype plate = b.out.boxes.size();
    QColor edge = b.colors.amber;
    edge.setAlpha(110);
    b.box({}, b.colors.amberWash, edge, Space::radiusCard);
    b.y += 12;
    b.icon(Icon::ShieldQuestion, 14, b.y + 2, b.colors.amber);
    b.text({.text = ToolLayoutText::tr("The agent asks for permission"), .style = TextStyle::ListSemiBold, .color = b.colors.amber, .x = 40, .width = b.style.width - 56.0});
    b.y += 2;
    b.text({.text = title, .color = b.colors.text, .x = 40, .width = b.style.width - 56.0, .maxLines = 6, .lead = QStringLiteral("\n")});
    b.y += 10;
    qreal x = 40;
    bool primaryUsed = false;
    for (const PermissionOption &option : ask.options) {
        const bool primary = !primaryUsed && option.kind == QLatin1StringView("allow_once");
        primaryUsed = primaryUsed || primary;
        const qreal width = std::ceil(b.textWidth(TextStyle::ListMedium, option.name)) + 24;
        if (x > 40 && x + width > b.style.width - 16) {
            x = 40;
            b.y += EntryBuilder::buttonHeight + 8;
        }
        x += b.button(x, HotKind::Answer, primary ? HotLook::Primary : HotLook::Button, option.id, option.name) + 8;
    }
    b.y += EntryBuilder::buttonHeight + 14;
    b.out.boxes[plate].rect = QRectF(0, top, b.style.width, b.y - top);
}

void layOutPlan(EntryBuilder &b)
{
    const qreal top = b.y;
    const qsizetype plate = b.out.boxes.size();
    b.box({}, {}, b.colors.hairline, Space::radiusCard);
    const auto done = std::count_if(b.entry.plan.begin(), b.entry.plan.end(),
        [](const PlanEntry &step) { return step.status == QLatin1StringView("completed"); });
    b.y += 10;
    b.icon(Icon::ListTodo, 14, b.y + 2, b.colors.textFaint);
    const qreal headTop = b.y;
    b.text({.text = ToolLayoutText::tr("Plan"), .style = TextStyle::ListSemiBold, .color = b.colors.textMuted, .x = 40, .width = 200, .selectable = false});
    const QString count = ToolLayoutText::tr("%1 of %2 done").arg(done).arg(b.entry.plan.size());
    const qreal countWidth = std::ceil(b.textWidth(TextStyle::Small, count)) + 2;
    b.y = headTop + 1;
    b.text({.text = count, .style = TextStyle::Small, .color = b.colors.textFaint, .x = b.style.width - 14 - countWidth, .width = countWidth, .maxLines = 1, .selectable = false});
    b.y = headTop + 24;
    for (const PlanEntry &step : b.entry.plan) {
        b.y += 3;
        const bool complete = step.status == QLatin1StringView("completed");
        const bool active = step.status == QLatin1StringView("in_progress");
        b.icon(complete ? Icon::CircleCheck : active ? Icon::CircleDot : Icon::Circle, 14, b.y + 2,
            complete ? b.colors.green : active ? b.colors.accentText : b.colors.textFaint);
        b.text({.text = step.content, .style = active ? TextStyle::ListMedium : TextStyle::List, .color = complete ? b.colors.textFaint : b.colors.text, .x = 40, .width = b.style.width - 56.0, .lead = QStringLiteral("\n")});
        b.y += 3;
    }
    b.y += 8;
    b.out.boxes[plate].rect = QRectF(0, top, b.style.width, b.y - top);
}

} // namespace foundry::views
