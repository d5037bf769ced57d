#include "views/diff/changeslist.h"

#include "models/changesmodel.h"
#include "views/common/controlpainting.h"
#include "views/common/paint.h"

#include <QPainter>

namespace foundry::views {

namespace {

QColor changeColor(const Colors &colors, const QString &status)
{
    if (status == QLatin1StringView("A") || status == QLatin1StringView("C"))
        return colors.green;
    if (status == QLatin1StringView("D") || status == QLatin1StringView("U"))
        return colors.red;
    return colors.amber;
}

} // namespace

void ChangesFilter::setUncommittedOnly(bool only)
{
    if (m_uncommittedOnly == only)
        return;
    m_uncommittedOnly = only;
    invalidateFilter();
}

void ChangesFilter::setWords(const QString &words)
{
    if (m_words == words)
        return;
    m_words = words;
    invalidateFilter();
}

bool ChangesFilter::filterAcceptsRow(int row, const QModelIndex &parent) const
{
    const auto *changes = qobject_cast<const ChangesModel *>(sourceModel());
    if (!changes)
        return QSortFilterProxyModel::filterAcceptsRow(row, parent);
    const FileChange &change = changes->at(row);
    if (m_uncommittedOnly && change.scope.is(ChangeScope::Committed))
        return false;
    return m_words.isEmpty() || change.path.contains(m_words, Qt::CaseInsensitive);
}

ChangesDelegate::ChangesDelegate(const ThemeProvider *theme, QObject *parent)
    : QStyledItemDelegate(parent)
    , m_theme(theme)
{
}

QSize ChangesDelegate::sizeHint(const QStyleOptionViewItem &, const QModelIndex &) const
{
    return {100, 28};
}

QString ChangesDelegate::displayText(const QVariant &, const QLocale &) const
{
    return {};
}

void ChangesDelegate::paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    const auto change = index.data(ListModelBase::ValueRole).value<FileChange>();
    const Colors &c = m_theme->colors();
    const bool current = option.state & QStyle::State_Selected;
    const QRect row = option.rect.adjusted(8, 0, -8, 0);
    painter->save();
    if (current)
        paintRounded(painter, row, c.selected, {}, Space::radius);
    else if (option.state & QStyle::State_MouseOver)
        paintRounded(painter, row, c.hover, {}, Space::radius);
    if ((option.state & QStyle::State_HasFocus) && (option.state & QStyle::State_KeyboardFocusChange))
        paintFocusRing(painter, *m_theme, row, Space::radius);

    QRect inside = row.adjusted(8, 0, -8, 0);
    paintText(painter, QRect(inside.left(), inside.top(), 14, inside.height()), change.status, m_theme->font(TextStyle::MonoSmall),
        changeColor(c, change.status));
    inside.setLeft(inside.left() + 22);

    // Numbers first: the name takes what they leave.
    if (change.binary) {
        const int width = textWidth(tr("binary"), m_theme->font(TextStyle::Small));
        paintText(painter, inside, tr("binary"), m_theme->font(TextStyle::Small), c.textFaint, Qt::ElideRight, Qt::AlignRight);
        inside.setRight(inside.right() - width - 10);
    } else {
        DiffStat stat;
        stat.added = change.added;
        stat.removed = change.removed;
        inside.setRight(inside.right() - paintDiffStat(painter, *m_theme, inside, stat, current) - 10);
    }
    const qsizetype slash = change.path.lastIndexOf(QLatin1Char('/'));
    const QString name = change.path.mid(slash + 1);
    const QString folder = slash > 0 ? change.path.left(slash) : QString();
    const int used = paintText(painter, inside, name, m_theme->font(TextStyle::List), c.text, Qt::ElideMiddle);
    inside.setLeft(inside.left() + used + 8);
    QString second = folder;
    if (change.oldPath)
        second = tr("from %1").arg(*change.oldPath);
    if (inside.width() > 24)
        paintText(painter, inside, second, m_theme->font(TextStyle::Small), c.textFaint, Qt::ElideLeft);
    painter->restore();
}

} // namespace foundry::views
