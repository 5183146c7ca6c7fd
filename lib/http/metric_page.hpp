#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/histogram.hpp"

namespace postrider::http {

// A page of metrics in the Prometheus text format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/). Samples of one name share its first help.
class metric_page {
 public:
    using labels = std::vector<std::pair<std::string, std::string>>;

    metric_page();
    ~metric_page();
    metric_page(const metric_page&) = delete;
    metric_page& operator=(const metric_page&) = delete;

    void counter(const std::string& name, const std::string& help, double value, const labels& by = {});
    void gauge(const std::string& name, const std::string& help, double value, const labels& by = {});
    void histogram(const std::string& name, const std::string& help, const core::histogram& value,
                   const labels& by = {});

    std::string text() const;

 private:
    struct implementation;
    std::unique_ptr<implementation> impl_;
};

}  // namespace postrider::http
