#include "http/metric_page.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>

namespace postrider::http {

struct metric_page::implementation {
    std::vector<prometheus::MetricFamily> families;

    prometheus::ClientMetric& add(const std::string& name, const std::string& help,
                                  prometheus::MetricType type, const labels& by) {
        auto at =
            std::find_if(families.begin(), families.end(), [&](const auto& f) { return f.name == name; });
        if (at == families.end()) {
            prometheus::MetricFamily f;
            f.name = name;
            f.help = help;
            f.type = type;
            at = families.insert(families.end(), std::move(f));
        }
        auto& m = at->metric.emplace_back();
        for (const auto& [label, value] : by)
            m.label.push_back({label, value});
        return m;
    }
};

metric_page::metric_page() : impl_(std::make_unique<implementation>()) {}
metric_page::~metric_page() = default;

void metric_page::counter(const std::string& name, const std::string& help, double value, const labels& by) {
    impl_->add(name, help, prometheus::MetricType::Counter, by).counter.value = value;
}

void metric_page::gauge(const std::string& name, const std::string& help, double value, const labels& by) {
    impl_->add(name, help, prometheus::MetricType::Gauge, by).gauge.value = value;
}

void metric_page::histogram(const std::string& name, const std::string& help, const core::histogram& value,
                            const labels& by) {
    auto& into = impl_->add(name, help, prometheus::MetricType::Histogram, by).histogram;
    for (std::size_t i = 0; i < value.counts().size(); ++i) {
        into.sample_count += value.counts()[i];
        prometheus::ClientMetric::Bucket b;
        b.cumulative_count = into.sample_count;
        b.upper_bound =
            i < value.bounds().size() ? value.bounds()[i] : std::numeric_limits<double>::infinity();
        into.bucket.push_back(b);
    }
    into.sample_sum = value.sum();
}

std::string metric_page::text() const {
    return prometheus::TextSerializer().Serialize(impl_->families);
}

}  // namespace postrider::http
