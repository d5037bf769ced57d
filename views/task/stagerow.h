// One stage of the timeline; a failed one with its cause and its ways on. GUI thread.
#pragma once

#include "models/types/provisioning.h"

#include <QWidget>

class QLineEdit;

namespace foundry::views {

class Button;
class Label;
class ThemeProvider;

class StageRow : public QWidget {
    Q_OBJECT
public:
    explicit StageRow(ThemeProvider *theme, QWidget *parent = nullptr);

    // `mayRetry`: a cancelled stage offers to go on here.
    void setStage(const Stage &stage, bool first, bool last, bool mayRetry);
    void setConnected(bool connected); // retrying needs the host
    void tick(); // the time of a stage that runs
    const Stage &stage() const { return m_stage; }

Q_SIGNALS:
    void retryRequested(const QString &stageId);
    void logRequested(const QString &stageId);
    void branchClashResolved(bool adopt, const QString &newName);

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    QString timeText() const;

    ThemeProvider *m_theme;
    Stage m_stage;
    bool m_first = false;
    bool m_last = false;
    Label *m_name;
    Label *m_log;
    Label *m_time;
    QWidget *m_failure;
    Label *m_cause;
    Label *m_action;
    Label *m_detail;
    Button *m_retry;
    Button *m_retryQuiet; // beside the choices of a branch clash
    Button *m_showLog;
    QWidget *m_clash;
    Button *m_adopt;
    QLineEdit *m_newName;
    Button *m_useName;
};

} // namespace foundry::views
