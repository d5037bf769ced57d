#include "views/dashboard/chipstrip.h"

#include "models/listmodelbase.h"
#include "views/common/controlpainting.h"
#include "views/common/paint.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QLocale>
#include <QPainter>
#include <QToolTip>

namespace foundry::views {

namespace {

constexpr int chipHeight = 28;
constexpr int chipGap = 6;
constexpr int chipLines = 2;
constexpr int chipTitleMost = 220;

} // namespace

ChipStrip::ChipStrip(ThemeProvider *theme, ListModelBase *model, Look look, const QString &name, const QString &action,
    QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_model(model)
    , m_look(std::move(look))
    , m_action(action)
{
    setAccessibleName(name);
    setFocusPolicy(Qt::TabFocus);
    setMouseTracking(true);
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    connect(model, &QAbstractItemModel::rowsInserted, this, &ChipStrip::invalidate);
    connect(model, &QAbstractItemModel::rowsRemoved, this, &ChipStrip::invalidate);
    connect(model, &QAbstractItemModel::rowsMoved, this, &ChipStrip::invalidate);
    connect(model, &QAbstractItemModel::modelReset, this, &ChipStrip::invalidate);
    connect(model, &QAbstractItemModel::dataChanged, this, &ChipStrip::invalidate);
    connect(model, &ListModelBase::readyChanged, this, &ChipStrip::invalidate);
    connect(theme, &ThemeProvider::changed, this, qOverload<>(&QWidget::update));
}

int ChipStrip::chipWidth(const Chip &chip) const
{
    int width = 8 + 16 + 6 + qMin(textWidth(chip.title, m_theme->font(TextStyle::List)), chipTitleMost) + 10;
    if (!chip.note.isEmpty())
        width += 6 + textWidth(chip.note, m_theme->font(TextStyle::Small));
    return width;
}

QList<ChipStrip::Placed> ChipStrip::place(int width) const
{
    QList<Placed> placed;
    int x = 0;
    int y = 0;
    const QFont small = m_theme->font(TextStyle::Small);
    const int actionWidth = m_action.isEmpty() ? 0 : 8 + 16 + 6 + textWidth(m_action, m_theme->font(TextStyle::List)) + 10;
    const int moreWidth = 24 + textWidth(QStringLiteral("+10,000"), small);
    const int lines = m_expanded ? 1000 : chipLines;
    const auto add = [&](int chip, int wanted) {
        if (x > 0 && x + wanted > width) {
            x = 0;
            y += chipHeight + chipGap;
        }
        placed.append({QRect(x, y, qMin(wanted, width), chipHeight), chip});
        x += wanted + chipGap;
    };
    const int rows = m_model->rowCount();
    for (int row = 0; row < rows; ++row) {
        const int wanted = chipWidth(m_look(row));
        const bool lastLine = y / (chipHeight + chipGap) == lines - 1;
        // On the last line there must be room for what stands for the rest, and for the action.
        const int reserve = actionWidth + chipGap + (row < rows - 1 ? moreWidth + chipGap : 0);
        if (lastLine && x + wanted + reserve > width) {
            placed.append({QRect(x, y, moreWidth, chipHeight), moreChip});
            x += moreWidth + chipGap;
            break;
        }
        add(row, wanted);
    }
    if (actionWidth)
        add(actionChip, actionWidth);
    return placed;
}

int ChipStrip::heightForWidth(int width) const
{
    const QList<Placed> placed = place(width);
    return placed.isEmpty() ? chipHeight : placed.last().rect.bottom() + 1;
}

void ChipStrip::invalidate()
{
    m_placed = place(width());
    m_current = qBound(0, m_current, qMax(0, int(m_placed.size()) - 1));
    setFixedHeight(m_placed.isEmpty() ? chipHeight : m_placed.last().rect.bottom() + 1);
    update();
}

void ChipStrip::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    if (event->size().width() != event->oldSize().width())
        invalidate();
}

void ChipStrip::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    if (!m_model->isReady() && m_model->rowCount() == 0) {
        int x = 0;
        for (const int width : {120, 96, 140}) {
            paintRounded(&painter, QRect(x, 0, width, chipHeight), m_theme->colors().raised, {}, Space::radius);
            x += width + chipGap;
        }
        return;
    }
    for (const Placed &placed : std::as_const(m_placed))
        paintChip(painter, placed);
    if (hasFocus() && m_current < m_placed.size())
        paintFocusRing(&painter, *m_theme, m_placed.at(m_current).rect, Space::radius);
}

void ChipStrip::paintChip(QPainter &painter, const Placed &placed) const
{
    const Colors &c = m_theme->colors();
    const QRect &rect = placed.rect;
    const bool over = m_hover == placed.row;
    if (placed.row < 0) {
        const bool action = placed.row == actionChip;
        if (over)
            paintRounded(&painter, rect, c.hover, {}, Space::radius);
        QRect text = rect.adjusted(8, 0, -4, 0);
        if (action) {
            m_theme->icons().paint(&painter, QRect(text.x(), text.y() + 6, 16, 16), Icon::Plus, c.textMuted);
            text.setLeft(text.x() + 22);
        }
        const qsizetype shown = m_placed.size() - (m_action.isEmpty() ? 1 : 2);
        paintText(&painter, text, action ? m_action : QStringLiteral("+") + QLocale().toString(m_model->rowCount() - shown),
            m_theme->font(TextStyle::List), c.textMuted);
        return;
    }
    const Chip chip = m_look(placed.row);
    paintRounded(&painter, rect, over ? c.hover : c.surface, c.hairline, Space::radius);
    if (chip.progress) {
        const QRect bar(rect.x() + 2, rect.bottom() - 2, qRound((rect.width() - 4) * qBound(0.0, *chip.progress, 1.0)), 2);
        painter.fillRect(bar, c.accent);
    }
    m_theme->icons().paint(&painter, QRect(rect.x() + 8, rect.y() + 6, 16, 16), chip.icon, c.*chip.iconColor);
    QRect text = rect.adjusted(30, 0, -9, 0);
    const int noteWidth = chip.note.isEmpty() ? 0 : textWidth(chip.note, m_theme->font(TextStyle::Small)) + 6;
    const int title =
        paintText(&painter, text.adjusted(0, 0, -noteWidth, 0), chip.title, m_theme->font(TextStyle::List), c.text);
    if (noteWidth)
        paintText(&painter, text.adjusted(title + 6, 0, 2, 0), chip.note, m_theme->font(TextStyle::Small), c.*chip.noteColor,
            Qt::ElideNone);
}

const ChipStrip::Placed *ChipStrip::chipAt(const QPoint &point) const
{
    for (const Placed &placed : m_placed) {
        if (placed.rect.contains(point))
            return &placed;
    }
    return nullptr;
}

void ChipStrip::activate(const Placed &chip)
{
    if (chip.row == actionChip) {
        Q_EMIT actionActivated();
    } else if (chip.row == moreChip) {
        m_expanded = true;
        invalidate();
    } else {
        Q_EMIT chipActivated(chip.row, mapToGlobal(chip.rect.bottomLeft() + QPoint(0, 4)));
    }
}

void ChipStrip::mouseMoveEvent(QMouseEvent *event)
{
    const Placed *chip = chipAt(event->pos());
    const int hover = chip ? chip->row : -3;
    if (hover != m_hover) {
        m_hover = hover;
        update();
    }
}

void ChipStrip::mouseReleaseEvent(QMouseEvent *event)
{
    const Placed *chip = chipAt(event->pos());
    if (chip && event->button() == Qt::LeftButton)
        activate(Placed(*chip));
}

void ChipStrip::leaveEvent(QEvent *)
{
    m_hover = -3;
    update();
}

void ChipStrip::keyPressEvent(QKeyEvent *event)
{
    const int last = int(m_placed.size()) - 1;
    switch (event->key()) {
    case Qt::Key_Left:
        m_current = qMax(0, m_current - 1);
        break;
    case Qt::Key_Right:
        m_current = qMin(last, m_current + 1);
        break;
    case Qt::Key_Home:
        m_current = 0;
        break;
    case Qt::Key_End:
        m_current = last;
        break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        if (m_current >= 0 && m_current <= last)
            activate(Placed(m_placed.at(m_current)));
        return;
    default:
        QWidget::keyPressEvent(event);
        return;
    }
    update();
}

bool ChipStrip::event(QEvent *event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        const Placed *chip = chipAt(help->pos());
        QToolTip::showText(help->globalPos(), chip && chip->row >= 0 ? m_look(chip->row).toolTip : QString(), this);
        return true;
    }
    return QWidget::event(event);
}

} // namespace foundry::views
