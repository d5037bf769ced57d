// Rows of the Changes panel: the filter over the model (scope and words) and the delegate that paints a file.
#pragma once

#include <QSortFilterProxyModel>
#include <QStyledItemDelegate>

namespace foundry::views {

class ThemeProvider;

class ChangesFilter : public QSortFilterProxyModel {
    Q_OBJECT
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;

    // Uncommitted: all but committed. Else since base: all.
    void setUncommittedOnly(bool only);
    void setWords(const QString &words);

protected:
    bool filterAcceptsRow(int row, const QModelIndex &parent) const override;

private:
    bool m_uncommittedOnly = false;
    QString m_words;
};

class ChangesDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    ChangesDelegate(const ThemeProvider *theme, QObject *parent);

    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override;
    QSize sizeHint(const QStyleOptionViewItem &option, const QModelIndex &index) const override;
    QString displayText(const QVariant &value, const QLocale &locale) const override;

private:
    const ThemeProvider *m_theme;
};

} // namespace foundry::views
