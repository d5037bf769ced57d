#include "views/transcript/entrylayout.h"

#include "views/transcript/entrybuilder.h"
#include "views/transcript/entrytext.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace foundry::views {

namespace {

class EntryLayoutText {
    Q_DECLARE_TR_FUNCTIONS(EntryLayout)
};

constexpr int userFoldLines = 24; // a longer prompt is folded

qreal gapBetween(const TranscriptEntry &entry, const TranscriptEntry *previous)
{
    if (!previous)
        return 0;
    if (entry.continues)
        return 10;
    const bool tool = entry.kind.is(EntryKind::ToolCall);
    const bool afterTool = previous->kind.is(EntryKind::ToolCall);
    if (tool && afterTool)
        return 0;
    if (tool || afterTool)
        return 10;
    if (entry.kind.is(EntryKind::UserMessage))
        return 20;
    if (entry.kind.is(EntryKind::TurnEnd))
        return 14;
    return 14;
}

void layOutUser(EntryBuilder &b)
{
    const qreal most = std::floor(b.style.width * 0.88);
    const bool all = b.unfolded(QStringLiteral("user"), false);
    const qreal top = b.y;
    const qsizetype plate = b.out.boxes.size();
    b.box({}, b.colors.raised, {}, Space::radiusCard);
    b.y += 10;
    const qsizetype first = b.out.texts.size();
    const int lines = int(b.entry.text.count(QLatin1Char('\n'))) + 1 + int(b.entry.text.size()) / 76;
    b.text({.text = b.entry.text, .x = 0, .width = most - 32, .maxLines = all ? 0 : userFoldLines});
    for (const Attachment &attachment : b.entry.attachments) {
        b.y += 4;
        b.text({.text = EntryLayoutText::tr("%1 (%2)").arg(attachment.name, fileSizeText(attachment.size)), .style = TextStyle::Small, .color = b.colors.textMuted, .width = most - 32, .maxLines = 1, .lead = QStringLiteral("\n")});
    }
    qreal widest = 24;
    for (qsizetype i = first; i < b.out.texts.size(); ++i)
        widest = std::max(widest, b.out.texts.at(i).size.width());
    qreal fold = 0;
    if (lines > userFoldLines) {
        fold = EntryBuilder::buttonHeight + 2;
        widest = std::max<qreal>(widest, 140);
    }
    const qreal width = std::min(most, std::ceil(widest) + 32);
    const qreal left = b.style.width - width;
    for (qsizetype i = first; i < b.out.texts.size(); ++i)
        b.out.texts[i].at.rx() = left + 16;
    if (fold > 0) {
        b.button(left + 4, HotKind::ShowAll, HotLook::Ghost, QStringLiteral("user"),
            all ? EntryLayoutText::tr("Show less") : EntryLayoutText::tr("Show all"), all ? Icon::Fold : Icon::Unfold);
        b.y += fold;
    } else {
        b.y += 10;
    }
    b.out.boxes[plate].rect = QRectF(left, top, width, b.y - top);
}

void layOutAgent(EntryBuilder &b, const TranscriptEntry *previous)
{
    QString text = b.entry.text;
    if (b.entry.continues && previous) {
        const QString fence = openFence(previous->text);
        if (!fence.isEmpty())
            text.prepend(fence + QLatin1Char('\n'));
    }
    b.markdown(parseMarkdown(text), 0, b.style.width, b.colors.text, QStringLiteral("m"));
}

void layOutThought(EntryBuilder &b)
{
    const bool open = b.unfolded(QStringLiteral("thought"), false);
    const qreal top = b.y;
    HotArea &row = b.hot(QRectF(-8, top, b.style.width + 16, 26), HotKind::Fold, QStringLiteral("thought"),
        open ? EntryLayoutText::tr("Fold the thought") : EntryLayoutText::tr("Unfold the thought"));
    row.look = HotLook::Row;
    b.icon(Icon::Brain, 0, top + 5, b.colors.textFaint);
    b.icon(open ? Icon::ChevronDown : Icon::ChevronRight, b.style.width - 16, top + 5, b.colors.textFaint);
    b.y = top + 3;
    const QString gist = plainText(parseMarkdown(b.entry.text.left(300))).simplified();
    b.text({.text = open ? EntryLayoutText::tr("Thought") : EntryLayoutText::tr("Thought · %1").arg(gist), .style = TextStyle::List, .color = b.colors.textFaint, .x = 26, .width = b.style.width - 52.0, .maxLines = 1, .selectable = !open});
    b.y = top + 26;
    if (!open)
        return;
    b.y += 4;
    const qreal bodyTop = b.y;
    b.markdown(parseMarkdown(b.entry.text), 26, b.style.width - 26, b.colors.textMuted, QStringLiteral("t"));
    b.box(QRectF(7, bodyTop, 1, b.y - bodyTop), b.colors.hairline);
}

void layOutTurnEnd(EntryBuilder &b)
{
    const QString label = b.entry.turnEnd ? turnEndText(*b.entry.turnEnd) : b.entry.text;
    const qreal labelWidth = std::min<qreal>(std::ceil(b.textWidth(TextStyle::Small, label)) + 2, b.style.width - 80.0);
    const qreal left = std::floor((b.style.width - labelWidth) / 2);
    b.box(QRectF(0, b.y + 9, left - 12, 1), b.colors.hairline);
    b.box(QRectF(left + labelWidth + 12, b.y + 9, b.style.width - left - labelWidth - 12, 1), b.colors.hairline);
    b.text({.text = label, .style = TextStyle::Small, .color = b.colors.textFaint, .x = left, .width = labelWidth, .maxLines = 1});
}

void layOutLine(EntryBuilder &b, Icon icon, const QColor &color)
{
    b.icon(icon, 0, b.y + 2, color);
    b.text({.text = b.entry.text, .style = TextStyle::List, .color = b.colors.textMuted, .x = 26, .width = b.style.width - 26.0});
}

void layOutQuestion(EntryBuilder &b)
{
    const qreal top = b.y;
    const qsizetype plate = b.out.boxes.size();
    b.box({}, b.colors.amberWash, b.colors.hairline, Space::radiusCard);
    b.y += 12;
    b.icon(Icon::CircleQuestion, 14, b.y + 2, b.colors.amber);
    b.markdown(parseMarkdown(b.entry.text), 40, b.style.width - 54.0, b.colors.text, QStringLiteral("q"));
    b.y += 12;
    b.out.boxes[plate].rect = QRectF(0, top, b.style.width, b.y - top);
}

void layOutError(EntryBuilder &b)
{
    const Error error = b.entry.error.value_or(Error{{}, {}, b.entry.text});
    const qreal top = b.y;
    const qsizetype plate = b.out.boxes.size();
    b.box({}, b.colors.redWash, b.colors.hairline, Space::radiusCard);
    b.y += 12;
    b.icon(Icon::CircleAlert, 14, b.y + 3, b.colors.red);
    const qreal width = b.style.width - 54.0;
    b.text({.text = error.message.isEmpty() ? b.entry.text : error.message, .style = TextStyle::ReadingSemiBold, .x = 40, .width = width});
    if (!error.action.isEmpty()) {
        b.y += 2;
        b.text({.text = error.action, .color = b.colors.textMuted, .x = 40, .width = width, .lead = QStringLiteral("\n")});
    }
    if (!error.detail.isEmpty()) {
        const bool open = b.unfolded(QStringLiteral("detail"), false);
        b.y += 4;
        b.button(28, HotKind::Fold, HotLook::Ghost, QStringLiteral("detail"),
            open ? EntryLayoutText::tr("Hide details") : EntryLayoutText::tr("Details"),
            open ? Icon::ChevronDown : Icon::ChevronRight);
        b.y += EntryBuilder::buttonHeight;
        if (open) {
            b.y += 4;
            b.output({error.detail}, 40, width, QStringLiteral("detailtext"), {}, {});
        }
    }
    b.y += error.detail.isEmpty() ? 12 : 8;
    b.out.boxes[plate].rect = QRectF(0, top, b.style.width, b.y - top);
}

} // namespace

EntryLayout layOutEntry(const TranscriptEntry &entry, const TranscriptEntry *previous, const EntryStyle &style)
{
    EntryBuilder b(entry, style);
    b.y = gapBetween(entry, previous);
    switch (entry.kind.valueOr(EntryKind::Notice)) {
    case EntryKind::UserMessage:
        layOutUser(b);
        break;
    case EntryKind::AgentMessage:
        layOutAgent(b, previous);
        break;
    case EntryKind::AgentThought:
        layOutThought(b);
        break;
    case EntryKind::ToolCall:
        layOutTool(b);
        break;
    case EntryKind::Plan:
        layOutPlan(b);
        break;
    case EntryKind::Permission:
        layOutPermission(b);
        break;
    case EntryKind::Question:
        layOutQuestion(b);
        break;
    case EntryKind::TurnEnd:
        layOutTurnEnd(b);
        break;
    case EntryKind::Notice:
        layOutLine(b, Icon::Info, b.colors.textFaint);
        break;
    case EntryKind::Error:
        layOutError(b);
        break;
    }
    b.out.height = std::max(1, int(std::ceil(b.y)));
    return std::move(b.out);
}

int estimateEntryHeight(const TranscriptEntry &entry, int width)
{
    if (entry.kind.is(EntryKind::ToolCall))
        return entry.tool && entry.tool->kind == QLatin1StringView("edit") ? 220 : 30;
    if (entry.kind.is(EntryKind::AgentThought))
        return 40;
    if (entry.kind.is(EntryKind::TurnEnd) || entry.kind.is(EntryKind::Notice))
        return 34;
    if (entry.kind.is(EntryKind::Plan))
        return 44 + int(entry.plan.size()) * 26;
    if (entry.kind.is(EntryKind::Permission) || entry.kind.is(EntryKind::Error))
        return 120;
    const int perLine = std::max(20, width / 8);
    return 20 + (int(entry.text.size()) / perLine + 1) * 24;
}

} // namespace foundry::views
