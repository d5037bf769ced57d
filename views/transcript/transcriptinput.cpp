// What the transcript does on pointer and keys: hot areas, scrolling, the beginning and end of a selection.
#include "views/transcript/transcriptview.h"

#include "views/transcript/entrytext.h"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QScrollBar>
#include <QToolTip>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace foundry::views {

TranscriptView::HotRef TranscriptView::hotAt(const QPoint &point) const
{
    if (!m_model)
        return {};
    for (const Visible &visible : m_visible) {
        if (visible.row >= m_model->count())
            continue;
        const qint64 entry = m_model->at(visible.row).index;
        const auto layout = m_layouts.constFind(entry);
        if (layout == m_layouts.constEnd() || point.y() < visible.y || point.y() > visible.y + layout->height)
            continue;
        const QPointF at = QPointF(point) - QPointF(columnLeft(), visible.y);
        for (int i = int(layout->hots.size()) - 1; i >= 0; --i) {
            if (layout->hots.at(i).rect.contains(at))
                return {entry, i};
        }
    }
    return {};
}

const HotArea *TranscriptView::hotArea(const HotRef &ref) const
{
    const auto layout = m_layouts.constFind(ref.entry);
    if (layout == m_layouts.constEnd() || ref.hot < 0 || ref.hot >= layout->hots.size())
        return nullptr;
    return &layout->hots.at(ref.hot);
}

bool TranscriptView::activateHot(const HotRef &ref)
{
    const HotArea *found = hotArea(ref);
    const TranscriptEntry *entry = m_model ? m_model->find(ref.entry) : nullptr;
    if (!found || !entry)
        return false;
    const HotArea area = *found;
    const QString key = QString::number(ref.entry) + QLatin1Char('/') + area.value;
    switch (area.kind) {
    case HotKind::Fold:
    case HotKind::ShowAll: {
        bool byDefault = false;
        if (area.value == QLatin1StringView("tool") && entry->tool) {
            byDefault = entry->tool->status == QLatin1StringView("failed")
                || std::any_of(entry->tool->content.begin(), entry->tool->content.end(),
                    [](const ToolContent &content) { return std::holds_alternative<ToolDiff>(content); });
        }
        m_folds.insert(key, !m_folds.value(key, byDefault));
        // What is folded at the end must not make the head jump: stay where the reader is.
        if (m_follow && verticalScrollBar()->maximum() > 0)
            m_follow = false;
        m_layouts.remove(ref.entry);
        flush();
        break;
    }
    case HotKind::CopyCode:
        QGuiApplication::clipboard()->setText(area.value);
        m_copied = ref;
        m_copiedTimer.start();
        viewport()->update();
        break;
    case HotKind::Answer:
        if (entry->permission && !entry->permission->answer)
            Q_EMIT permissionAnswered(entry->permission->requestId, area.value);
        break;
    case HotKind::Link:
        Q_EMIT linkActivated(QUrl(area.value, QUrl::TolerantMode));
        break;
    case HotKind::ShowText:
        Q_EMIT textRequested(entry->tool ? entry->tool->title : tr("Output"), area.value);
        break;
    case HotKind::ShowBlob: {
        BlobRef wanted;
        wanted.blobId = BlobId(area.value);
        const auto consider = [&](const TextOrBlob &text) {
            if (text.blob && text.blob->blobId == wanted.blobId)
                wanted = *text.blob;
        };
        if (entry->tool) {
            for (const ToolContent &content : entry->tool->content) {
                if (const auto *text = std::get_if<ToolText>(&content))
                    consider(text->text);
            }
            if (entry->tool->rawInput)
                consider(*entry->tool->rawInput);
            if (entry->tool->rawOutput)
                consider(*entry->tool->rawOutput);
        }
        Q_EMIT blobRequested(wanted);
        break;
    }
    }
    return true;
}

void TranscriptView::setHover(const HotRef &ref)
{
    if (m_hover == ref)
        return;
    m_hover = ref;
    viewport()->update();
}

void TranscriptView::mousePressEvent(QMouseEvent *event)
{
    if (event->button() != Qt::LeftButton)
        return;
    m_focusHot = {};
    const QPoint point = event->position().toPoint();
    m_pressed = hotAt(point);
    const HotArea *area = hotArea(m_pressed);
    const Place place = placeAt(point);
    // Text is selected from a link on, too; buttons only react.
    if (!area || area->look == HotLook::Invisible || area->look == HotLook::Row) {
        m_selecting = true;
        if (event->modifiers().testFlag(Qt::ShiftModifier) && m_selectionFrom.entry >= 0)
            m_selectionTo = place;
        else
            m_selectionFrom = m_selectionTo = place;
    }
    viewport()->update();
}

void TranscriptView::mouseMoveEvent(QMouseEvent *event)
{
    const QPoint point = event->position().toPoint();
    const HotRef hot = hotAt(point);
    setHover(hot);
    if (m_selecting && event->buttons().testFlag(Qt::LeftButton)) {
        if (point.y() < 0)
            scrollByPixels(std::max(-40, point.y()));
        else if (point.y() > viewport()->height())
            scrollByPixels(std::min(40, point.y() - viewport()->height()));
        m_selectionTo = placeAt(point);
        viewport()->update();
        return;
    }
    const HotArea *area = hotArea(hot);
    const bool column = point.x() >= columnLeft() && point.x() <= columnLeft() + columnWidth();
    viewport()->setCursor(area ? Qt::PointingHandCursor : column && !m_visible.isEmpty() ? Qt::IBeamCursor : Qt::ArrowCursor);
}

void TranscriptView::mouseReleaseEvent(QMouseEvent *event)
{
    if (event->button() != Qt::LeftButton)
        return;
    const HotRef pressed = std::exchange(m_pressed, HotRef{});
    m_selecting = false;
    const HotRef released = hotAt(event->position().toPoint());
    if (pressed.hot >= 0 && pressed == released && !hasSelection())
        activateHot(pressed);
    else if (const HotArea *area = hotArea(pressed); area && pressed == released && area->look > HotLook::Row)
        activateHot(pressed);
    if (hasSelection()) {
        if (QClipboard *clipboard = QGuiApplication::clipboard(); clipboard->supportsSelection())
            clipboard->setText(selectedText(), QClipboard::Selection);
    }
    viewport()->update();
}

void TranscriptView::mouseDoubleClickEvent(QMouseEvent *event)
{
    if (const HotArea *area = hotArea(hotAt(event->position().toPoint())); area && area->look != HotLook::Invisible) {
        mousePressEvent(event);
        return;
    }
    selectWord(placeAt(event->position().toPoint()));
}

void TranscriptView::wheelEvent(QWheelEvent *event)
{
    const int pixels = event->pixelDelta().isNull() ? event->angleDelta().y() * 3 * 21 / 120 : event->pixelDelta().y();
    scrollByPixels(-pixels);
    setHover(hotAt(viewport()->mapFromGlobal(event->globalPosition().toPoint())));
    event->accept();
}

bool TranscriptView::viewportEvent(QEvent *event)
{
    if (event->type() == QEvent::Leave) {
        setHover({});
    } else if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        const HotArea *area = hotArea(hotAt(help->pos()));
        if (area && (area->kind == HotKind::Link || area->kind == HotKind::CopyCode))
            QToolTip::showText(help->globalPos(), area->kind == HotKind::Link ? area->value : area->name, this);
        else
            QToolTip::hideText();
        return true;
    }
    return QAbstractScrollArea::viewportEvent(event);
}

void TranscriptView::contextMenuEvent(QContextMenuEvent *event)
{
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    QAction *copy = menu->addAction(tr("Copy"), QKeySequence(QKeySequence::Copy), this, &TranscriptView::copySelection);
    copy->setEnabled(hasSelection());
    const qint64 index = placeAt(viewport()->mapFromGlobal(event->globalPos())).entry;
    QAction *entry = menu->addAction(tr("Copy entry as Markdown"), this, [this, index] {
        if (const TranscriptEntry *found = m_model ? m_model->find(index) : nullptr)
            QGuiApplication::clipboard()->setText(entryMarkdown(*found));
    });
    entry->setEnabled(index >= 0);
    menu->addSeparator();
    menu->addAction(tr("Select all"), QKeySequence(QKeySequence::SelectAll), this, &TranscriptView::selectAll);
    menu->popup(event->globalPos());
}

void TranscriptView::keyPressEvent(QKeyEvent *event)
{
    const int page = viewport()->height() - 42;
    if (event->matches(QKeySequence::Copy)) {
        copySelection();
    } else if (event->matches(QKeySequence::SelectAll)) {
        selectAll();
    } else if (event->key() == Qt::Key_Escape && hasSelection()) {
        m_selectionTo = m_selectionFrom;
        viewport()->update();
    } else if (event->key() == Qt::Key_Up) {
        scrollByPixels(-42);
    } else if (event->key() == Qt::Key_Down) {
        scrollByPixels(42);
    } else if (event->key() == Qt::Key_PageUp) {
        scrollByPixels(-page);
    } else if (event->key() == Qt::Key_PageDown) {
        scrollByPixels(page);
    } else if (event->key() == Qt::Key_End) {
        scrollToBottom();
    } else if (event->key() == Qt::Key_Home && m_model && m_model->count() > 0) {
        revealEntry(m_model->firstIndex());
    } else if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter || event->key() == Qt::Key_Space)
        && m_focusHot.hot >= 0) {
        activateHot(m_focusHot);
    } else {
        QAbstractScrollArea::keyPressEvent(event);
    }
}

// Tab walks through the hot areas on screen, in reading order, and leaves at either end.
bool TranscriptView::focusNextPrevChild(bool next)
{
    QList<HotRef> all;
    for (const Visible &visible : std::as_const(m_visible)) {
        if (!m_model || visible.row >= m_model->count())
            continue;
        const qint64 entry = m_model->at(visible.row).index;
        const qsizetype count = m_layouts.value(entry).hots.size();
        for (int i = 0; i < count; ++i)
            all.append({entry, i});
    }
    const qsizetype at = all.indexOf(m_focusHot);
    const qsizetype to = at < 0 ? (next ? 0 : all.size() - 1) : next ? at + 1 : at - 1;
    if (to < 0 || to >= all.size()) {
        m_focusHot = {};
        viewport()->update();
        return QAbstractScrollArea::focusNextPrevChild(next);
    }
    m_focusHot = all.at(to);
    revealHot(m_focusHot);
    viewport()->update();
    return true;
}

void TranscriptView::revealHot(const HotRef &ref)
{
    const HotArea *area = hotArea(ref);
    const int row = m_model ? m_model->rowOf(ref.entry) : -1;
    const QRect entry = row < 0 ? QRect() : entryRect(row);
    if (!area || entry.isNull())
        return;
    const int top = entry.top() + int(area->rect.top()) - 8;
    const int bottom = entry.top() + int(area->rect.bottom()) + 8;
    if (top < 0)
        scrollByPixels(top);
    else if (bottom > viewport()->height())
        scrollByPixels(bottom - viewport()->height());
}

void TranscriptView::focusOutEvent(QFocusEvent *event)
{
    m_focusHot = {};
    viewport()->update();
    QAbstractScrollArea::focusOutEvent(event);
}

} // namespace foundry::views
