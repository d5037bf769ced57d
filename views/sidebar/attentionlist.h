// "Needs you": what waits for the user over all tasks, in painted rows. As tall as its content up to a limit; hidden when
// nothing waits. Enter opens the task at the place; the menu answers a permission without opening it. GUI thread.
#pragma once

#include "models/attentionmodel.h"
#include "views/common/themeprovider.h"

#include <QListView>

namespace foundry::views {

class MinuteClock;

class AttentionList : public QListView {
    Q_OBJECT
public:
    static constexpr int rowHeight = 40;
    static constexpr int rowsShown = 5;

    AttentionList(ThemeProvider *theme, MinuteClock *clock, AttentionModel *model, QWidget *parent = nullptr);

Q_SIGNALS:
    void entryActivated(const foundry::TaskId &task, const foundry::SessionId &session, qint64 entryIndex);
    void permissionAnswered(const foundry::TaskId &task, const foundry::SessionId &session, const QString &requestId,
        const QString &optionId);
    void countChanged(int count);

protected:
    void contextMenuEvent(QContextMenuEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    bool viewportEvent(QEvent *event) override;

private:
    void activate(const QModelIndex &index);
    void fit();

    AttentionModel *m_model;
};

} // namespace foundry::views
