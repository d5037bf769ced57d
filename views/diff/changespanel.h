// The right panel's list of changed files: what the task changed since its base, or has not committed, with a filter.
// Choosing a row asks for its diff. GUI thread.
#pragma once

#include "models/types/changes.h"

#include <QPointer>
#include <QWidget>

class QLineEdit;
class QListView;
class QModelIndex;

namespace foundry {
class ChangesModel;
}

namespace foundry::views {

class AsOfLabel;
class Button;
class ChangesFilter;
class IconButton;
class Label;
class ThemeProvider;

class ChangesPanel : public QWidget {
    Q_OBJECT
public:
    ChangesPanel(ThemeProvider *theme, QWidget *parent = nullptr);

    void setChanges(ChangesModel *changes); // may be null: nothing there yet
    void setConnected(bool connected);
    QListView *list() const { return m_list; }
    QSize sizeHint() const override { return {320, 400}; }

Q_SIGNALS:
    void fileActivated(const QString &path, foundry::ChangeScope scope);
    void refreshRequested();

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    void setUncommittedOnly(bool only);
    void activate(const QModelIndex &index);
    void updateState();

    ThemeProvider *m_theme;
    QPointer<ChangesModel> m_changes;
    ChangesFilter *m_filter = nullptr;
    Label *m_added = nullptr;
    Label *m_removed = nullptr;
    IconButton *m_refresh = nullptr;
    Button *m_sinceBase = nullptr;
    Button *m_uncommitted = nullptr;
    QLineEdit *m_words = nullptr;
    QListView *m_list = nullptr;
    QWidget *m_empty = nullptr;
    Label *m_emptyTitle = nullptr;
    Label *m_emptyDetail = nullptr;
    Label *m_foot = nullptr;
    AsOfLabel *m_asOf = nullptr;
    bool m_connected = true;
};

} // namespace foundry::views
