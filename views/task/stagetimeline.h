// What is being made ready for a task, stage by stage: state, name, duration, attempt, last line of the log; where one
// failed: cause, what to do, retry from there. Hidden when all is done. GUI thread.
#pragma once

#include "models/types/provisioning.h"
#include "models/types/session.h"

#include <QHash>
#include <QPointer>
#include <QTimer>
#include <QWidget>

class QVBoxLayout;

namespace foundry {
class StageListModel;
}

namespace foundry::views {

class AsOfLabel;
class Button;
class Label;
class StageRow;
class Surface;
class ThemeProvider;

class StageTimeline : public QWidget {
    Q_OBJECT
public:
    explicit StageTimeline(ThemeProvider *theme, QWidget *parent = nullptr);

    void setStages(StageListModel *stages); // may be null
    // Stages of other sessions are left out; with no session, all sandbox and agent stages count.
    void setSession(const SessionId &session, const AgentId &agent);
    // Without a link nothing can be retried or cancelled, and the buttons say so.
    void setConnected(bool connected);
    bool hasWork() const { return m_hasWork; }
    bool hasFailed() const { return m_failed; }

Q_SIGNALS:
    void workChanged(bool hasWork);
    void retryRequested(const QString &stageId);
    void logRequested(const QString &stageId);
    void cancelRequested();
    void branchClashResolved(bool adopt, const QString &newName);

protected:
    void showEvent(QShowEvent *event) override;
    void hideEvent(QHideEvent *event) override;

private:
    void sync();
    void tick();
    void updateTimer();
    QList<Stage> stagesWanted() const;

    ThemeProvider *m_theme;
    QPointer<StageListModel> m_stages;
    SessionId m_session;
    AgentId m_agent;
    Surface *m_card;
    Label *m_title;
    Label *m_progress;
    AsOfLabel *m_asOf;
    Button *m_cancel;
    QVBoxLayout *m_rows;
    QHash<QString, StageRow *> m_byId;
    QStringList m_order;
    QTimer m_timer;
    bool m_hasWork = false;
    bool m_failed = false;
    bool m_running = false;
    bool m_connected = true;
};

} // namespace foundry::views
