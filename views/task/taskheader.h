// The head of a task's page: title (edited in place), branch (a click copies it), state, time of the turn under way, and the
// switch of the changes panel. GUI thread.
#pragma once

#include "models/types/task.h"

#include <QTimer>
#include <QWidget>

class QLineEdit;

namespace foundry::views {

class Button;
class IconButton;
class Label;
class StatePill;
class ThemeProvider;

class TaskHeader : public QWidget {
    Q_OBJECT
public:
    explicit TaskHeader(ThemeProvider *theme, QWidget *parent = nullptr);

    void setSummary(const TaskSummary &summary);
    // When the turn of the session on screen began; absent: none runs.
    void setTurnStarted(std::optional<Millis> at);
    void setChangesShown(bool shown);
    void startRename();

Q_SIGNALS:
    void renameRequested(const QString &title);
    void changesToggled(bool shown);

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;
    void showEvent(QShowEvent *event) override;
    void hideEvent(QHideEvent *event) override;

private:
    void finishRename(bool keep);
    void copyBranch();
    void tick();
    void updateTimer();
    void fitTitle(); // read only: elided to its place

    ThemeProvider *m_theme;
    TaskSummary m_summary;
    std::optional<Millis> m_turnStarted;
    QTimer m_timer;
    QTimer m_copied;
    QLineEdit *m_title;
    Button *m_branch;
    StatePill *m_pill;
    Label *m_turn;
    IconButton *m_changes;
    bool m_changesShown = true;
};

// A state: glyph and word in a quiet capsule.
class StatePill : public QWidget {
    Q_OBJECT
public:
    explicit StatePill(ThemeProvider *theme, QWidget *parent = nullptr);

    void setState(const OpenEnum<TaskStatus> &status, const QString &detail);
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    ThemeProvider *m_theme;
    OpenEnum<TaskStatus> m_status = {};
    QString m_text;
};

} // namespace foundry::views
