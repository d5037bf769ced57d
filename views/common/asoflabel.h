// A quiet "as of 09:41" in the corner of a panel whose rows are not followed at the moment: they are out of the cache, or
// the link is gone. Nothing while they are current, and nothing for a blink: it comes only when that lasts. GUI thread.
#pragma once

#include "models/listmodelbase.h"

#include <QPointer>
#include <QTimer>
#include <QWidget>

namespace foundry::views {

class Label;
class ThemeProvider;

class AsOfLabel : public QWidget {
    Q_OBJECT
public:
    explicit AsOfLabel(ThemeProvider *theme, QWidget *parent = nullptr);

    // What the panel shows; null ones are left out. The oldest time of those that are not current is said.
    void setModels(const QList<ListModelBase *> &models);
    // For what is no model; 0: current.
    void setTime(Millis at);

private:
    Millis time() const;
    void update();
    void say();

    QList<QPointer<ListModelBase>> m_models;
    Millis m_at = 0;
    QTimer m_patience;
    Label *m_words;
};

} // namespace foundry::views
