// Agents as a short list to choose from: ready ones can be taken, the others say what is missing and open their ways on.
// GUI thread.
#pragma once

#include "models/agentlistmodel.h"
#include "views/common/themeprovider.h"

#include <QListView>

namespace foundry::views {

class AgentList : public QListView {
    Q_OBJECT
public:
    static constexpr int rowHeight = 44;

    AgentList(ThemeProvider *theme, AgentListModel *model, QWidget *parent = nullptr);

    // Empty while none is ready. The first ready one until the user chose.
    AgentId chosen() const;
    void choose(const AgentId &agent);

Q_SIGNALS:
    void chosenChanged();
    void wayOnRequested(const foundry::AgentId &agent, const QPoint &globalPosition);

protected:
    void keyPressEvent(QKeyEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    void fit();
    void fitHeight();
    void activate(const QModelIndex &index);

    AgentListModel *m_model;
    AgentId m_chosen;
};

} // namespace foundry::views
