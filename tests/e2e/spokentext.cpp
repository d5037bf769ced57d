#include "tests/e2e/spokentext.h"

#include <QAccessible>
#include <QDialog>
#include <QLabel>

#include <algorithm>

namespace foundry {

namespace {

void speakAll(QAccessibleInterface *item, QStringList *said, int depth)
{
    if (!item || !item->isValid() || depth > 40)
        return;
    const QAccessible::State state = item->state();
    if (state.invisible || state.offscreen)
        return;
    for (const QAccessible::Text kind : {QAccessible::Name, QAccessible::Value, QAccessible::Description}) {
        if (const QString text = item->text(kind); !text.isEmpty())
            said->append(text);
    }
    for (int i = 0; i < item->childCount(); ++i)
        speakAll(item->child(i), said, depth + 1);
}

QList<QWidget *> withSheets(QWidget *window)
{
    QList<QWidget *> all{window};
    for (QDialog *sheet : window->findChildren<QDialog *>()) {
        if (sheet->isVisible())
            all.append(sheet);
    }
    return all;
}

} // namespace

QStringList spoken(QWidget *window)
{
    QStringList said;
    for (QWidget *one : withSheets(window))
        speakAll(QAccessible::queryAccessibleInterface(one), &said, 0);
    return said;
}

QString cutOff(QWidget *window, const QStringList &words)
{
    for (QLabel *label : window->findChildren<QLabel *>()) {
        if (!label->isVisible())
            continue;
        const bool meant = std::any_of(words.begin(), words.end(),
            [label](const QString &word) { return label->text().contains(word, Qt::CaseInsensitive); });
        if (!meant)
            continue;
        const int wanted = label->wordWrap() ? label->heightForWidth(label->width()) : label->sizeHint().height();
        const bool tooSmall = label->height() < wanted || (!label->wordWrap() && label->width() < label->sizeHint().width());
        // Its own text only; what an agent's output is scrolled to is no matter here.
        const bool hidden = label->visibleRegion().boundingRect() != label->rect();
        if (tooSmall || hidden)
            return QStringLiteral("%1 (%2×%3, wants %4×%5, visible %6×%7)")
                .arg(label->text())
                .arg(label->width())
                .arg(label->height())
                .arg(label->wordWrap() ? label->width() : label->sizeHint().width())
                .arg(wanted)
                .arg(label->visibleRegion().boundingRect().width())
                .arg(label->visibleRegion().boundingRect().height());
    }
    return {};
}

} // namespace foundry
